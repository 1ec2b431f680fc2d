import { act, composer, expect, meetInRoom, message, messages, openInvitation, roomOfTheDemo, say, section, sheet, test } from './fixtures.js';

const ADDRESS = 'felix@okafor.dev';
const marks = (root) => root.locator('mark');
const refused = (root) => root.getByTestId('refused');

test('a decline that gives away an address is refused with the place marked, keeps its text, and reaches the client without it', async ({ client, freelancer }) => {
  await openInvitation(freelancer);
  await freelancer.getByRole('button', { name: 'Decline', exact: true }).click();
  const form = freelancer.getByRole('form', { name: 'Decline the invitation' });
  const words = form.getByLabel('Message to the client (optional)');
  const text = `Thank you 🚲! Write to ${ADDRESS}, or call +49 170 1234567.`;
  await form.getByLabel('Reason', { exact: true }).selectOption('too_busy');
  await words.fill(text);
  await form.getByRole('button', { name: 'Decline the invitation' }).click();

  await expect(marks(form)).toHaveText([`${ADDRESS} (e-mail address)`, '+49 170 1234567 (telephone number)']);
  await expect(form.getByRole('alert').filter({ hasText: 'before the room is open' })).toContainText('an e-mail address and a telephone number');
  await expect(form.getByRole('button', { name: 'Send it anyway' })).toHaveCount(0);
  await expect(words).toHaveValue(text);
  await expect(words).toBeFocused();
  await expect(words).toHaveAccessibleDescription(/before the room is open/);

  await words.fill('Thank you 🚲! Until June I am booked.');
  await expect(refused(form)).toHaveCount(0);
  await expect(words).not.toHaveAttribute('aria-invalid');
  await form.getByRole('button', { name: 'Decline the invitation' }).click();
  await section(freelancer, 'Archived').getByRole('link').click();
  await section(client, 'Invitations sent').getByRole('link').click();
  for (const page of [client, freelancer]) await expect(page.getByTestId('decline-message')).toContainText('Until June I am booked.');
  await client.getByRole('link', { name: /^Notices/ }).click();
  await expect(client.getByTestId('notice').first()).toContainText('Until June I am booked.');
});

test.describe('where contact information is warned of', () => {
  test.use({ settings: { ANTEROOM_POLICY__CONTACT__ACTIVE: 'warn' } });

  test('a message and its edit are sent anyway once their author has seen what is marked', async ({ client, freelancer }) => {
    await meetInRoom(client, freelancer);
    await say(freelancer, `My address is ${ADDRESS}.`);
    const own = message(freelancer, ADDRESS);
    await expect(marks(own)).toHaveText(`${ADDRESS} (e-mail address)`);
    await expect(own.getByRole('alert')).toContainText('This gives away how to reach somebody');
    await own.getByRole('button', { name: 'Send it anyway' }).click();
    await expect(composer(freelancer)).toBeFocused();
    await expect(messages(client).last()).toHaveText(`My address is ${ADDRESS}.`);
    await expect(own.getByRole('button', { name: 'Send it anyway' })).toHaveCount(0);

    await act(freelancer, ADDRESS, 'Edit');
    const field = freelancer.getByLabel('New text');
    await field.fill('Rather call +49 170 1234567.');
    await freelancer.getByRole('button', { name: 'Save' }).click();
    await expect(marks(refused(freelancer))).toHaveText('+49 170 1234567 (telephone number)');
    await freelancer.getByRole('button', { name: 'Send it anyway' }).click();
    await expect(messages(client).last()).toHaveText('Rather call +49 170 1234567.');
  });
});

test.describe('where contact information waits for the contract', () => {
  test.use({ settings: { ANTEROOM_POLICY__CONTACT: 'until_contract' } });

  test('a message in the room is marked, lets later ones pass, and comes back beside what was typed meanwhile', async ({ client, freelancer }) => {
    await meetInRoom(client, freelancer);
    await say(freelancer, `Mail me: ${ADDRESS}`);
    await composer(freelancer).fill('Something else');
    const own = message(freelancer, ADDRESS);
    await expect(own.getByRole('alert')).toContainText('cannot be shared before a contract is formed');
    await expect(marks(own)).toHaveText(`${ADDRESS} (e-mail address)`);
    await expect(own.getByRole('button')).toHaveText(['Edit']);
    await freelancer.reload();
    await expect(marks(own)).toHaveCount(1);
    await say(freelancer, 'This one passes.');
    await expect(messages(client).last()).toHaveText('This one passes.');

    await composer(freelancer).fill('Something else');
    await own.getByRole('button', { name: 'Edit' }).click();
    await expect(own).toHaveCount(0);
    await expect(composer(freelancer)).toHaveValue(`Mail me: ${ADDRESS}\nSomething else`);
    await expect(marks(refused(freelancer))).toHaveText(`${ADDRESS} (e-mail address)`);
    await composer(freelancer).fill('Let us stay here.');
    await expect(refused(freelancer)).toHaveCount(0);
    await composer(freelancer).press('Enter');
    await expect(messages(client).last()).toHaveText('Let us stay here.');
  });

  test('in terms, the scope and the title of a milestone are marked each in its place', async ({ server, visit }) => {
    const room = await roomOfTheDemo(server);
    const freelancer = await visit(await server.link('felix'));
    await freelancer.goto(`${server.origin}/#/room/${room}`);
    await freelancer.getByRole('button', { name: 'Propose other terms' }).click();
    await sheet(freelancer).getByLabel('Fixed price').check();
    await sheet(freelancer).getByLabel('Price in all').fill('900');
    for (const [place, title] of [[1, 'A sketch'], [2, `Files to ${ADDRESS}`], [3, 'The page']]) {
      await sheet(freelancer).getByRole('button', { name: 'Add a milestone' }).click();
      await sheet(freelancer).getByLabel(`Title of milestone ${place}`).fill(title);
      await sheet(freelancer).getByLabel(`Amount of milestone ${place}`).fill('450');
    }
    await sheet(freelancer).getByRole('button', { name: 'Remove milestone 1' }).click();
    await sheet(freelancer).getByLabel('Scope (optional)').fill('  Details: t.me/felix_codes');
    await sheet(freelancer).getByRole('button', { name: 'Send these terms' }).click();
    await expect(refused(sheet(freelancer))).toHaveCount(2);
    const box = (label) => sheet(freelancer).locator('.field').filter({ has: freelancer.getByLabel(label) });
    await expect(marks(box('Title of milestone 1'))).toHaveText(`${ADDRESS} (e-mail address)`);
    await expect(marks(box('Scope (optional)'))).toHaveText('t.me/felix_codes (link)');
    await expect(sheet(freelancer).getByLabel('Title of milestone 2')).not.toHaveAttribute('aria-invalid');
  });
});
