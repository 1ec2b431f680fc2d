"""What leaves the server, read by libraries of other authors: webhooks by `standardwebhooks`, push notifications by `http_ece` (RFC 8291), and who sends
them by `PyJWT` (RFC 8292). It plays the marketplace, its receiver, and a browser's push service.

ANTEROOM_URL, ANTEROOM (the binary) and ANTEROOM_DATA_DIR say where the server is.
"""

import base64
import json
import os
import subprocess
import threading
import time
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import http_ece
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

URL = os.environ["ANTEROOM_URL"]
posts = []


class Receiver(BaseHTTPRequestHandler):
    """Takes whatever is posted."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        posts.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(201)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def token(sub, scope):
    command = [os.environ["ANTEROOM"], "token", "--data-dir", os.environ["ANTEROOM_DATA_DIR"], "--sub", sub, "--scope", scope]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def ask(who, method, path, body=None):
    headers = {"authorization": f"Bearer {who}", "content-type": "application/json", "idempotency-key": str(uuid.uuid4())}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def until(path, count):
    """The first so many posts to this path, once they are there."""
    end = time.monotonic() + 20
    while True:
        found = [post for post in posts if post[0] == path]
        if len(found) >= count:
            return found
        assert time.monotonic() < end, f"{len(found)} of {count} posts to {path}"
        time.sleep(0.05)


def raw(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def unpadded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
here = f"http://127.0.0.1:{server.server_port}"

market, clara, fred = token("market", "service"), token("clara", "user"), token("fred", "user")
for user in ("clara", "fred"):
    ask(market, "PUT", f"/v1/users/{user}", {"name": user.capitalize()})
ask(market, "PUT", "/v1/jobs/garden", {"client": "clara", "title": "A garden"})

# A webhook, and a browser.
ask(market, "PUT", "/v1/webhooks/crm", {"url": f"{here}/webhook"})
secret = ask(market, "GET", "/v1/webhooks/crm/secret")["secret"]
key, auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
point = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
subscription = {"endpoint": f"{here}/push", "keys": {"p256dh": unpadded(point), "auth": unpadded(auth)}}
view = ask(fred, "POST", "/v1/push/subscribe", subscription)
assert view["subscriptions"] == 1, view

invited = ask(clara, "POST", "/v1/invitations", {"job": "garden", "freelancer": "fred", "message": "Would you?"})

# What the marketplace hears.
for _, headers, body in until("/webhook", 2):
    event = Webhook(secret).verify(body, headers)
    assert event["specversion"] == "1.0" and event["id"] == headers["webhook-id"], event
    assert event["type"] == "anteroom.inbox.invitation.sent.v1", event
    for wrong in (body + b" ", body.replace(b"clara", b"klara")):
        try:
            Webhook(secret).verify(wrong, headers)
        except WebhookVerificationError:
            continue
        raise AssertionError("another text verifies as well")
print("2 deliveries verified by standardwebhooks, and no other text of them")

# What the browser is pushed.
_, headers, body = until("/push", 1)[0]
text = http_ece.decrypt(body, private_key=key, auth_secret=auth, version="aes128gcm")
message = json.loads(text)
assert message["web_push"] == 8030 and message["notification"]["data"]["invitation"] == invited["invitation"], message
print(f"a push decrypted by http_ece: {message['notification']['title']}")

scheme, given = headers["authorization"].split(" ", 1)
parts = dict(part.strip().split("=", 1) for part in given.split(","))
assert scheme == "vapid" and parts["k"] == view["key"], headers
public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw(parts["k"]))
claims = jwt.decode(parts["t"], public, algorithms=["ES256"], audience=here)
assert 0 < claims["exp"] - time.time() <= 24 * 60 * 60, claims
try:
    jwt.decode(parts["t"], public, algorithms=["ES256"], audience="https://elsewhere.example")
    raise AssertionError("it is good elsewhere, too")
except jwt.InvalidAudienceError:
    pass
print("signed for this push service, and verified by PyJWT with the key that browsers subscribe with")

time.sleep(3)
assert len(until("/push", 1)) == 1, "pushed once"
print("and pushed once")
