"use strict";

// Outbox sends items as credit comes, and behind them the end.
class Outbox {
  constructor(out, credit = 0) {
    this.out = out;
    this.credit = credit;
    this.queue = [];
    this.sent = 0;
    this.end = null; // how the end is sent
    this.over = false; // the end has been sent, or nobody listens any more
    this.onSent = () => {};
  }

  put(...items) {
    this.queue.push(...items);
    this.flush();
  }

  complete() {
    this.end = () => this.out.complete();
    this.flush();
  }

  fail(err) {
    this.end = () => this.out.failed(err);
    this.flush();
  }

  request(n) {
    this.credit += n;
    this.flush();
  }

  cancel() {
    this.over = true;
    this.queue = [];
  }

  flush() {
    while (!this.over && this.credit > 0 && this.queue.length > 0) {
      this.credit--;
      this.sent++;
      this.out.next(this.queue.shift());
      this.onSent();
    }
    if (!this.over && this.end && this.queue.length === 0) {
      this.over = true;
      this.end();
    }
  }
}

module.exports = { Outbox };
