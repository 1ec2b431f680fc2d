// Fred, the freelancer, in a room: joins it, answers the client, and checks every promise he can see.
//
// Usage: freelancer.mjs ROOM [MESSAGES]      MESSAGES is how many each side says (5), the same for both programs.
//
// ANTEROOM_TOKEN is his user token, ANTEROOM_URL the server (http://127.0.0.1:8080).
// Ends with 0 when everything was in order, and with 1 and one line saying what was not.

import { randomUUID } from "node:crypto";
import WebSocket from "ws";

const SUBPROTOCOL = "anteroom.v1.json";
const TIMEOUT_MS = 30_000;
const LINES = ["That can be done.", "Like a stone oven?", "With a slice cut off.", "And one colour less.", "I begin tonight."];

const [room, count = "5"] = process.argv.slice(2);
const token = process.env.ANTEROOM_TOKEN;
const messages = Number(count);
if (!room || !token || !Number.isInteger(messages)) end("usage: ANTEROOM_TOKEN=… freelancer.mjs ROOM [MESSAGES]");

let me; // our user id, from `welcome`
let head; // where the log stood when we joined: older entries are history, and want no answer
let seq = 0; // the last entry we have
let lastSpeaker;
const said = new Map(); // client_id -> body, for every message of ours
const acknowledged = new Map(); // client_id -> "seq hash", from `ok`
const seen = new Map(); // client_id -> "seq hash", from our own `entry`

const on = {
  welcome(frame) {
    must(me === undefined, "a second welcome");
    me = frame.user;
    const joined = frame.rooms[0];
    must(!joined.error, `the room cannot be joined: ${JSON.stringify(joined)}`);
    must(joined.mode === "resumed", `from the beginning, a room with entries is resumed, not ${joined.mode}`);
    head = joined.head;
  },

  entry(frame) {
    must(me !== undefined, "an entry before the welcome");
    must(frame.room === room, `an entry of a room we are not in: ${frame.room}`);
    must(frame.seq === seq + 1, `entry ${frame.seq} after entry ${seq}: a hole or a repeat`);
    seq = frame.seq;
    show(frame);
    if (frame.kind === "message.posted") {
      lastSpeaker = frame.by;
      if (frame.by === me && said.has(frame.client_id)) {
        must(frame.data.body === said.get(frame.client_id), `not what we said: ${frame.data.body}`);
        settle(seen, frame.client_id, frame);
      }
    }
    // He speaks when the last word was the other's.
    if (seq >= head && lastSpeaker !== me && said.size < messages) speak();
  },

  ok(frame) {
    must(said.has(frame.id), `an answer to nothing we asked: ${frame.id}`);
    must(frame.data.duplicate === false, "a message said once is called a repetition");
    settle(acknowledged, frame.id, frame.data);
  },

  error(frame) {
    end(`refused: ${JSON.stringify(frame.error)}`);
  },

  gap(frame) {
    end(`a gap in a room this small: ${frame.from} to ${frame.to}`);
  },

  reset(frame) {
    end(`a reset, though nothing was restored: ${frame.reason}`);
  },
};

// `ok` and `entry` come in either order, each once, and name the same place in the log.
function settle(where, clientId, told) {
  must(!where.has(clientId), `told twice of message ${clientId}`);
  where.set(clientId, `${told.seq} ${told.hash}`);
  if (!acknowledged.has(clientId) || !seen.has(clientId)) return;
  must(acknowledged.get(clientId) === seen.get(clientId), `ok and entry disagree about message ${clientId}`);
}

function speak() {
  const id = randomUUID();
  const number = said.size + 1;
  const body = `${number} of ${messages}: ${LINES[(number - 1) % LINES.length]}`;
  said.set(id, body);
  lastSpeaker = me;
  // The frame's id ties the answer to the question, the client_id ties the message to the intention.
  // One value serves for both here, because this program never sends a command a second time.
  send({ type: "message.post", id, client_id: id, room, body });
}

function show(entry) {
  const text = entry.data.body ?? JSON.stringify(entry.data);
  console.log(`${String(entry.seq).padStart(4)}  ${entry.kind.padEnd(20)} ${(entry.by ?? "-").padEnd(6)} ${text}`);
}

function send(frame) {
  socket.send(JSON.stringify(frame));
}

function must(condition, complaint) {
  if (!condition) end(complaint);
}

function end(complaint) {
  console.error(`freelancer.mjs: ${complaint}`);
  process.exit(1);
}

const url = (process.env.ANTEROOM_URL ?? "http://127.0.0.1:8080").replace(/^http/, "ws");
// This library offers compression, as most do: the server has to decline it.
const socket = new WebSocket(`${url}/v1/ws`, SUBPROTOCOL);
const alarm = setTimeout(() => end(`the talk was not over after ${TIMEOUT_MS / 1000} s`), TIMEOUT_MS);
let over = false;

socket.on("open", () => {
  must(socket.protocol === SUBPROTOCOL, `the server chose the subprotocol ${socket.protocol}`);
  must(socket.extensions === "", `the server chose ${socket.extensions}`);
  send({ type: "hello", token, client: "talk/freelancer.mjs", rooms: [{ room, after: 0 }] });
});

socket.on("message", (text) => {
  try {
    const frame = JSON.parse(text);
    on[frame.type]?.(frame); // a frame of a type we do not know is none of our business
  } catch (trouble) {
    end(`a frame is not what the protocol says: ${trouble.message}`);
  }
  over = seen.size === messages && acknowledged.size === messages;
  if (over) socket.close(1000);
});

socket.on("error", (trouble) => end(`the connection failed: ${trouble.message}`));

socket.on("close", (code, reason) => {
  clearTimeout(alarm);
  must(over, `the server closed the connection: ${code} ${reason}`);
  console.log(`freelancer.mjs: ${messages} heard, ${messages} answered, entries 1 to ${seq} in order`);
});
