// What lives here: how far the reader of a room is. Told to the server when the newest entry was seen, and taken back on request.

export class Reading {
  newAfter; // the marker when the room was opened: behind it begins what is new
  #ctx;
  #room;
  #to = 0;
  #isBusy = false;
  #isKept = false; // after "mark unread", until the reader writes or leaves the room

  constructor(ctx, room) {
    this.#ctx = ctx;
    this.#room = room;
  }

  begin({ marker, unread }) {
    this.#to = unread ? marker : 0;
    this.newAfter = unread ? marker : undefined;
  }

  /** The reader writes: what stands above was read. */
  wrote() {
    this.#isKept = false;
  }

  /** Entry `last` is in sight. `again` is called when it is worth trying once more. */
  async mark(last, again) {
    const { connection, unread } = this.#ctx;
    if (this.#isKept || this.#isBusy || last <= this.#to || connection.state !== 'live') return;
    this.#isBusy = true;
    let wait = 0;
    try {
      unread.tell(this.#room, await connection.tell({ type: 'read', room: this.#room, seq: last }));
      this.#to = last;
    } catch (error) {
      if (error.code === 'away') return; // the next connection begins with it
      if (!error.retryable) this.#to = last;
      wait = error.retryAfterMs ?? 1000;
    } finally {
      this.#isBusy = false;
    }
    setTimeout(again, wait);
  }

  async markUnread(seq) {
    const answer = await this.#ctx.connection.tell({ type: 'mark_unread', room: this.#room, seq });
    this.#ctx.unread.tell(this.#room, answer);
    this.#isKept = true;
    this.#to = this.newAfter = answer.marker;
  }
}
