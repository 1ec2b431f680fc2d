"""Clara, the client, in a room: joins it, talks with the freelancer, and checks every promise she can see.

Usage: client.py ROOM [MESSAGES]      MESSAGES is how many each side says (5), the same for both programs.

ANTEROOM_TOKEN is her user token, ANTEROOM_URL the server (http://127.0.0.1:8080).
Ends with 0 when everything was in order, and with 1 and one line saying what was not.
"""

import asyncio
import json
import os
import sys
import uuid

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

SUBPROTOCOL = "anteroom.v1.json"
TIMEOUT_SECONDS = 30
LINES = ["Before Christmas.", "Something warm.", "A loaf, perhaps?", "Brown on white.", "Then we agree."]


class Violation(Exception):
    """The server did what the protocol rules out."""


def must(condition, complaint):
    if not condition:
        raise Violation(complaint)


class Talk:
    """What this side knows of the room. It speaks when the last word was the other's."""

    def __init__(self, socket, room, messages):
        self.socket = socket
        self.room = room
        self.messages = messages
        self.me = None  # our user id, from `welcome`
        self.head = None  # where the log stood when we joined: older entries are history, and want no answer
        self.seq = 0  # the last entry we have
        self.last_speaker = None
        self.said = {}  # client_id -> body, for every message of ours
        self.acknowledged = {}  # client_id -> (seq, hash), from `ok`
        self.seen = {}  # client_id -> (seq, hash), from our own `entry`
        self.answers = 0  # messages of the other since our first one

    def done(self):
        return len(self.seen) == len(self.acknowledged) == self.answers == self.messages

    async def run(self, token):
        rooms = [{"room": self.room, "after": 0}]
        await self.send({"type": "hello", "token": token, "client": "talk/client.py", "rooms": rooms})
        while not self.done():
            frame = json.loads(await self.socket.recv())
            on = getattr(self, "on_" + frame["type"], None)
            if on:  # a frame of a type we do not know is none of our business
                await on(frame)

    async def on_welcome(self, frame):
        must(self.me is None, "a second welcome")
        self.me = frame["user"]
        joined = frame["rooms"][0]
        must("error" not in joined, f"the room cannot be joined: {joined}")
        must(joined["mode"] == "resumed", f"from the beginning, a room with entries is resumed, not {joined}")
        self.head = joined["head"]

    async def on_entry(self, frame):
        must(self.me is not None, "an entry before the welcome")
        must(frame["room"] == self.room, f"an entry of a room we are not in: {frame}")
        must(frame["seq"] == self.seq + 1, f"entry {frame['seq']} after entry {self.seq}: a hole or a repeat")
        self.seq = frame["seq"]
        show(frame)
        if frame["kind"] == "message.posted":
            self.last_speaker = frame["by"]
            if frame["by"] != self.me:
                self.answers += bool(self.said)
            elif frame.get("client_id") in self.said:
                must(frame["data"]["body"] == self.said[frame["client_id"]], f"not what we said: {frame}")
                self.settle(self.seen, frame["client_id"], frame)
        if self.seq >= self.head and self.last_speaker != self.me and len(self.said) < self.messages:
            await self.speak()

    async def on_ok(self, frame):
        must(frame["id"] in self.said, f"an answer to nothing we asked: {frame}")
        must(frame["data"]["duplicate"] is False, f"a message said once is called a repetition: {frame}")
        self.settle(self.acknowledged, frame["id"], frame["data"])

    async def on_error(self, frame):
        raise Violation(f"refused: {frame['error']}")

    async def on_gap(self, frame):
        raise Violation(f"a gap in a room this small: {frame}")

    async def on_reset(self, frame):
        raise Violation(f"a reset, though nothing was restored: {frame}")

    def settle(self, where, client_id, told):
        """`ok` and `entry` come in either order, each once, and name the same place in the log."""
        must(client_id not in where, f"told twice of message {client_id}")
        where[client_id] = (told["seq"], told["hash"])
        must(
            self.acknowledged.get(client_id, where[client_id]) == self.seen.get(client_id, where[client_id]),
            f"ok and entry disagree about message {client_id}",
        )

    async def speak(self):
        client_id = str(uuid.uuid4())
        number = len(self.said) + 1
        body = f"{number} of {self.messages}: {LINES[(number - 1) % len(LINES)]}"
        self.said[client_id] = body
        self.last_speaker = self.me
        # The frame's id ties the answer to the question, the client_id ties the message to the intention.
        # One value serves for both here, because this program never sends a command a second time.
        post = {"type": "message.post", "id": client_id, "client_id": client_id, "room": self.room, "body": body}
        await self.send(post)

    async def send(self, frame):
        await self.socket.send(json.dumps(frame))


def show(entry):
    said = entry["data"].get("body") or json.dumps(entry["data"])
    print(f"{entry['seq']:>4}  {entry['kind']:<20} {entry.get('by', '-'):<6} {said}", flush=True)


async def talk(room, messages):
    url = os.environ.get("ANTEROOM_URL", "http://127.0.0.1:8080")
    token = os.environ.get("ANTEROOM_TOKEN") or sys.exit("client.py: ANTEROOM_TOKEN is not set")
    # This library offers compression, as most do: the server has to decline it.
    async with connect("ws" + url.removeprefix("http") + "/v1/ws", subprotocols=[SUBPROTOCOL]) as socket:
        must(socket.subprotocol == SUBPROTOCOL, f"the server chose the subprotocol {socket.subprotocol}")
        must(not socket.protocol.extensions, f"the server chose {socket.protocol.extensions}")
        here = Talk(socket, room, messages)
        await here.run(token)
        return here


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    messages = int(sys.argv[2]) if len(sys.argv) == 3 else 5
    try:
        here = asyncio.run(asyncio.wait_for(talk(sys.argv[1], messages), TIMEOUT_SECONDS))
    except TimeoutError:
        sys.exit(f"client.py: the talk was not over after {TIMEOUT_SECONDS} s")
    except Violation as violation:
        sys.exit(f"client.py: {violation}")
    except (KeyError, TypeError, ValueError) as trouble:
        sys.exit(f"client.py: a frame is not what the protocol says: {trouble!r}")
    except (OSError, WebSocketException) as trouble:
        sys.exit(f"client.py: the connection failed: {trouble}")
    print(f"client.py: {messages} said, {messages} answered, entries 1 to {here.seq} in order")


if __name__ == "__main__":
    main()
