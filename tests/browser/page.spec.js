import { DEMO_JOB, accept, composer, expect, horizontalOverflow, jobLink, messages, openInvitation, say, section, test } from './fixtures.js';

test('the token leaves the address bar at once, and the person stays signed in after a reload', async ({ server, freelancer }) => {
  const token = server.links.freelancer.split('#token=')[1];
  expect(freelancer.url()).not.toContain('token');
  await expect(freelancer.getByTestId('me')).toContainText('Felix Okafor');
  await freelancer.reload();
  await expect(freelancer.getByTestId('me')).toContainText('Felix Okafor');
  await freelancer.goBack().catch(() => {});
  expect(freelancer.url()).not.toContain(token);
});

test('without a token there is a field to paste one, and a wrong one is refused in words', async ({ server, browser }) => {
  const page = await browser.newPage();
  await page.goto(`${server.origin}/#/work/jobs`);
  await page.getByLabel('Token').fill('not a token');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).not.toBeEmpty();
  await page.getByLabel('Token').fill(await server.token('felix', 'user'));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Open jobs' })).toBeVisible();
  await page.close();
});

test('markup in names, titles and messages is shown as text and runs nowhere', async ({ server, visit, freelancer }) => {
  const name = '<img src=x onerror="window.ran=1">';
  const title = '<script>window.ran=2</script>';
  const body = '"><svg onload=window.ran=3> <a href="javascript:window.ran=4">x</a> javascript:window.ran=5';
  await server.service('PUT', '/v1/users/mallory', { name });
  await server.service('PUT', '/v1/jobs/markup', { client: 'mallory', title, url: 'javascript:window.ran=6' }).catch(
    () => server.service('PUT', '/v1/jobs/markup', { client: 'mallory', title }),
  );
  await server.service('POST', '/v1/invitations', { job: 'markup', freelancer: 'felix', message: '<b>Hello</b> Felix' });
  const mallory = await visit(await server.link('mallory'));
  await expect(mallory.getByTestId('me')).toContainText(name);

  await openInvitation(freelancer, title);
  await expect(section(freelancer, 'Message from the client')).toContainText('<b>Hello</b> Felix');
  await accept(freelancer, body);
  await jobLink(mallory, 'Active Candidacies', title).click();
  await expect(messages(mallory)).toHaveText([body]);
  await say(mallory, body);
  for (const page of [mallory, freelancer]) {
    await expect(messages(page)).toHaveText([body, body]);
    await expect(page.locator('main').getByText(name).first()).toBeVisible();
    expect(await page.evaluate(() => window.ran)).toBeUndefined();
    await expect(page.locator('[href^="javascript:"], main script, main img, main svg')).toHaveCount(0);
  }
});

test('a web address in a message becomes a link that tells the other site nothing', async ({ client, freelancer }) => {
  await openInvitation(freelancer);
  await accept(freelancer, 'Look at https://example.com/work?id=1, please.');
  await jobLink(client, 'Active Candidacies').click();
  const link = messages(client).getByRole('link');
  await expect(link).toHaveText('https://example.com/work?id=1');
  await expect(link).toHaveAttribute('rel', /noopener/);
});

test('on a phone nothing scrolls sideways, the composer is in reach, and a message can be sent with the keyboard alone', async ({ server, visit, client }) => {
  const phone = await visit(server.links.freelancer, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  await expect(jobLink(phone, 'Invitations to Interview')).toBeVisible();
  expect(await horizontalOverflow(phone)).toBeLessThanOrEqual(0);
  await openInvitation(phone);
  await phone.getByRole('button', { name: 'Accept', exact: true }).click();
  await phone.getByLabel(/^Propose (new )?terms$/).check();
  expect(await horizontalOverflow(phone)).toBeLessThanOrEqual(0);
  await phone.getByLabel(/^(Leave the terms as they are|Talk about terms later)$/).check();
  await phone.getByLabel('Message to the client').fill('Hello from a phone');
  await phone.getByRole('button', { name: 'Accept and send' }).click();
  await expect(messages(phone)).toHaveText(['Hello from a phone']);
  expect(await horizontalOverflow(phone)).toBeLessThanOrEqual(0);

  await expect(composer(phone)).toBeInViewport({ ratio: 1 });
  await expect(phone.getByRole('button', { name: 'Send', exact: true })).toBeInViewport({ ratio: 1 });
  expect(await composer(phone).evaluate((field) => parseFloat(getComputedStyle(field).fontSize))).toBeGreaterThanOrEqual(16);
  await tabTo(phone, composer(phone));
  await phone.keyboard.type('Typed without touching anything: aVeryLongWordThatHasNoPlaceToBreakAndWouldPushThePageSidewaysIfItCould');
  await phone.keyboard.press('Shift+Enter');
  await phone.keyboard.type('second line');
  await phone.keyboard.press('Enter');
  await expect(messages(phone)).toHaveCount(2);
  await expect(composer(phone)).toBeFocused();
  expect(await horizontalOverflow(phone)).toBeLessThanOrEqual(0);
  await jobLink(client, 'Active Candidacies').click();
  expect((await messages(client).last().textContent()).endsWith('ItCould\nsecond line')).toBe(true);
});

test('the freelancer’s lists carry the words of the guide and link each row by its job title', async ({ freelancer }) => {
  for (const name of ['Invitations to Interview', 'Submitted', 'Active Candidacies', 'Archived']) await expect(section(freelancer, name)).toBeVisible();
  await expect(jobLink(freelancer, 'Invitations to Interview', DEMO_JOB)).toHaveText(DEMO_JOB);
});

async function tabTo(page, target) {
  for (let presses = 0; presses < 40; presses += 1) {
    if (await target.evaluate((node) => node === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error('the Tab key does not lead there');
}
