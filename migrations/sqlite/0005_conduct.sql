-- Conduct: what is said with a decline, and how fast people answer.

-- The freelancer's words to the client.
ALTER TABLE invitations ADD COLUMN decline_message TEXT;
