-- When the person's tokens were last taken back: those issued up to then count no more. Microseconds since the epoch.
ALTER TABLE users ADD COLUMN tokens_valid_after INTEGER;
