// What lives here: the service worker. It shows what is pushed, leads to where it belongs, and keeps the browser's subscription alive. It knows no
// token, and asks the server for nothing: what is to be done about an invitation is done by the page.

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

const ANSWERS = [
  { action: 'accept', title: 'Accept' },
  { action: 'decline', title: 'Decline' },
  { action: 'ignore', title: 'Ignore' },
];

/** What was pushed, or, from a server that speaks otherwise, that there is something: a browser wants something to be shown. */
function read(data) {
  try {
    const { notification } = data.json();
    if (typeof notification.title === 'string') return notification;
  } catch { /* no push of ours */ }
  return { title: 'There is something new', navigate: '/', tag: 'anteroom', data: {} };
}

self.addEventListener('push', (event) => {
  const { title, body, tag, navigate, data } = read(event.data);
  // As many as the platform shows; without any the notification itself leads there.
  const actions = data?.invitation ? ANSWERS.slice(0, self.Notification?.maxActions ?? 0) : [];
  event.waitUntil(self.registration.showNotification(title, {
    body: body ?? '', tag, renotify: Boolean(tag), icon: '/icon.svg', actions, data: { ...data, navigate },
  }));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(lead(event.notification.data?.navigate ?? '/', event.action));
});

/** Brings a page that is open to where it belongs, or opens one. */
async function lead(navigate, action) {
  const hash = new URL(navigate, self.location.origin).hash + (action ? `/${action}` : '');
  const [page] = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  if (!page) return self.clients.openWindow(`/${hash}`);
  page.postMessage({ type: 'go', hash });
  // A browser may keep to itself which window is in front.
  return page.focus().catch(() => {});
}

self.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(renew(event)));

/** Asks for a new subscription where the browser did not make one. Pages that are open tell the server; others do when they are opened. */
async function renew({ oldSubscription, newSubscription }) {
  const { pushManager } = self.registration;
  const options = oldSubscription?.options;
  if (!newSubscription && options) await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: options.applicationServerKey });
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  for (const page of pages) page.postMessage({ type: 'subscription', before: oldSubscription?.endpoint });
}
