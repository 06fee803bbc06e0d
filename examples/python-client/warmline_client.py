#!/usr/bin/env python3
"""A Warmline client in one file, with nothing but the standard library.

It was written from docs/protocol.md alone; the § in the comments are its sections.
It speaks JSON on the line (§5.2), makes single calls (§7) and conversations (§8).

  warmline_client.py edge.stats
  warmline_client.py catalogue.videos '{"ids":[1,2]}' --want 'catalogue=^2'
  warmline_client.py --conversation 3 1 999
  warmline_client.py edge.stats --edge tls://127.0.0.1:7070 --ca ca.pem --token-file token
"""

import argparse
import json
import socket
import ssl
import struct
import sys
import time

# §3.2: the types of frames that are used. §3.1: their flags.
SETUP, KEEPALIVE, REQUEST_RESPONSE, REQUEST_CHANNEL, REQUEST_N = 0x01, 0x03, 0x04, 0x07, 0x08
CANCEL, PAYLOAD, ERROR = 0x09, 0x0A, 0x0B
METADATA, RESPOND, COMPLETE, NEXT = 0x100, 0x080, 0x040, 0x020

CALL, REPLY, FAILURE = 1, 3, 4  # §8.3: the kinds of messages that matter here

INTERVAL, LIFETIME = 10.0, 30.0  # §4.1, seconds
WINDOW = 32  # §8.6: payloads that the edge may have on the way to us

# §11: codes by number, RSocket's own among them.
CODES = dict(enumerate(
    "canceled deadline_exceeded invalid_argument unknown_method unauthenticated forbidden not_found "
    "too_large overloaded unavailable internal unsatisfied unresolved uncertain".split(), start=0x301))
CODES.update({0x201: "internal", 0x202: "overloaded", 0x203: "canceled", 0x204: "invalid_argument"})
CONNECTION_CODES = {1: "INVALID_SETUP", 2: "UNSUPPORTED_SETUP", 3: "REJECTED_SETUP", 0x101: "CONNECTION_ERROR"}
CONNECTION_CLOSE = 0x102


class Failed(Exception):
    """What went wrong, in one line."""


def entry(mime, data):
    """One entry of composite metadata, its MIME type spelled out (§6.1)."""
    return bytes([len(mime) - 1]) + mime.encode("ascii") + len(data).to_bytes(3, "big") + data


def metadata(route, seconds_left):
    """Route (§6.2) and time budget (§6.4); no passport and no trace."""
    name = route.encode()
    if len(name) > 255:
        raise Failed(f"a method of {len(name)} bytes, at most 255 can be asked for")
    tag = bytes([len(name)]) + name
    budget = struct.pack(">I", max(1, int(seconds_left * 1000)))
    return b"\xfe" + len(tag).to_bytes(3, "big") + tag + entry("application/vnd.warmline.budget", budget)


def authentication(token):
    """A token that says who dials (§4.7): the well-known id of bearer, and the token."""
    data = b"\x81" + token.encode("ascii")
    return b"\xfc" + len(data).to_bytes(3, "big") + data


def with_length(part):
    """[metadata] of §3.2: its length, and itself."""
    return len(part).to_bytes(3, "big") + part


def encode(value):
    return json.dumps(value, allow_nan=False).encode()


def arguments(text):
    """Arguments from the command line, encoded. Anything but JSON would end the line (§13)."""
    return encode(json.loads(text))


class Line:
    """A line to an edge (§4). One request or conversation at a time."""

    def __init__(self, host, port, wants, timeout, tls=None, token=None):
        self.deadline = time.monotonic() + timeout
        self.timeout = timeout
        self.inbox = bytearray()
        self.next_stream = 1  # §3.1: odd, for we dialled
        self.closing = False
        self.alive_at = self.heard_at = time.monotonic()
        try:
            self.socket = socket.create_connection((host, port), timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls:  # §2
                self.socket = tls.wrap_socket(self.socket, server_hostname=host)
        except OSError as e:
            raise Failed(f"no edge at {host}:{port}: {e}") from None
        hello = {"name": "python-client", "version": "1.0.0", "protocol": "^1.0", "wants": wants}  # §4.2
        mimes = b"".join(bytes([len(m)]) + m for m in (b"message/x.rsocket.composite-metadata.v0", b"application/json"))
        times = struct.pack(">HHII", 1, 0, int(INTERVAL * 1000), int(LIFETIME * 1000))
        proof = with_length(authentication(token)) if token else b""  # §4.7
        # §4.1: nothing answers a SETUP that is accepted; the question what it resolved to goes right behind.
        self.send(0, SETUP, METADATA if token else 0, times + mimes + proof + encode(hello))
        self.welcome = json.loads(self.request("warmline.setup", b""))  # §4.3

    def send(self, stream, kind, flags, body=b""):
        frame = struct.pack(">IH", stream, kind << 10 | flags) + body  # §3.1
        try:
            self.socket.settimeout(max(0.1, self.deadline - time.monotonic()))
            self.socket.sendall(len(frame).to_bytes(3, "big") + frame)  # §2
        except OSError as e:
            # The edge may have said why before it closed: that is worth more than "broken pipe".
            self.receive(0)
            raise Failed(f"the line broke: {e}") from None

    def open(self, kind, route, before, data):
        """Sends a request on a stream of its own and returns the stream."""
        if self.closing:
            raise Failed("the edge is closing and takes no new requests")
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        head = with_length(metadata(route, self.deadline - time.monotonic()))
        self.send(stream, kind, METADATA, before + head + data)
        return stream

    def request(self, route, data):
        """A REQUEST_RESPONSE (§7.1): returns the data of its answer."""
        stream = self.open(REQUEST_RESPONSE, route, b"", data)
        while True:
            kind, flags, body = self.receive(stream)
            if kind == ERROR:
                raise stream_error(body)
            if kind == PAYLOAD:
                return payload_data(flags, body)

    def receive(self, stream):
        """Returns the next frame of one stream: type, flags, what is behind the header."""
        while True:
            while len(self.inbox) < 3 or len(self.inbox) < 3 + int.from_bytes(self.inbox[:3], "big"):
                self.fill(stream)
            size = 3 + int.from_bytes(self.inbox[:3], "big")
            frame, self.inbox = bytes(self.inbox[3:size]), self.inbox[size:]
            on, type_and_flags = struct.unpack_from(">IH", frame)
            kind, flags, body = type_and_flags >> 10, type_and_flags & 0x3FF, frame[6:]
            if on == 0:
                self.connection_frame(kind, flags, body)
            elif on == stream:
                return kind, flags, body
            # Others belong to streams that have just ended (§3.5).

    def connection_frame(self, kind, flags, body):
        if kind == KEEPALIVE and flags & RESPOND:  # §3.3: same data, position 0
            self.send(0, KEEPALIVE, 0, bytes(8) + body[8:])
        if kind == ERROR:
            code, text = struct.unpack_from(">I", body)[0], body[4:].decode("utf-8", "replace")
            if code == CONNECTION_CLOSE:  # §13: what is under way goes on
                self.closing = True
            elif code in CONNECTION_CODES:
                if code == 3:  # §4.5: JSON, with a message for people
                    try:
                        text = json.loads(text)["message"]
                    except (ValueError, TypeError, KeyError):
                        pass
                what = "the edge refused the line" if code < 0x100 else "the edge ended the line"
                raise Failed(f"{what} ({CONNECTION_CODES[code]}): {text}")

    def fill(self, stream):
        """Reads what there is, sends KEEPALIVE in time, watches deadline and lifetime."""
        now = time.monotonic()
        if now >= self.deadline:
            if stream:
                self.send(stream, CANCEL, 0)  # §7.1, §8.7: nobody waits any more
            raise Failed(f"no answer within {self.timeout:g} s")
        if now - self.heard_at >= LIFETIME:
            raise Failed(f"nothing from the edge for {LIFETIME:g} s")
        if now - self.alive_at >= INTERVAL:
            self.alive_at = now
            self.send(0, KEEPALIVE, RESPOND, bytes(8))  # §3.3
        try:
            self.socket.settimeout(max(0.001, min(self.deadline - now, self.alive_at + INTERVAL - now)))
            data = self.socket.recv(65536)
        except socket.timeout:
            return
        except OSError as e:
            raise Failed(f"the line broke: {e}") from None
        if not data:
            raise Failed("the edge closed the line")
        self.heard_at = time.monotonic()
        self.inbox += data

    def close(self):
        self.send(0, ERROR, 0, struct.pack(">I", CONNECTION_CLOSE) + b"done")  # §13
        self.socket.close()


def payload_data(flags, body):
    """What is behind the metadata of a PAYLOAD (§3.2). A changed passport would be in the metadata (§7.1)."""
    return body[3 + int.from_bytes(body[:3], "big"):] if flags & METADATA else body


def stream_error(body):
    code = struct.unpack_from(">I", body)[0]
    return Failed(f"{CODES.get(code, 'unknown')}: {body[4:].decode('utf-8', 'replace')}")


class Conversation:
    """Calls on one REQUEST_CHANNEL stream (§8), one behind the other."""

    def __init__(self, line):
        self.line, self.stream = line, None
        self.last_id = self.credit = self.taken = 0
        self.answers = {}
        self.over = False

    def call(self, method, arguments):
        self.last_id += 1  # §8.4: never the same twice
        message = encode([CALL, self.last_id, method, arguments])
        if self.stream is None:  # §8.1: the first payload needs no credit
            self.stream = self.line.open(REQUEST_CHANNEL, "warmline.conversation", struct.pack(">I", WINDOW), message)
        else:
            while self.credit == 0:  # §8.6: not one payload without
                self.step()
            self.credit -= 1
            self.line.send(self.stream, PAYLOAD, NEXT, message)
        while self.last_id not in self.answers:
            self.step()
        kind, *rest = self.answers.pop(self.last_id)
        if kind == FAILURE:
            code, text, retry = rest
            raise Failed(f"{code}: {text}" + (" (trying again is safe)" if retry else ""))
        return rest[0]

    def step(self):
        """Takes one frame."""
        if self.over:
            raise Failed("the edge ended the conversation")
        kind, flags, body = self.line.receive(self.stream)
        if kind == REQUEST_N:
            self.credit += struct.unpack(">I", body[:4])[0]
        elif kind == ERROR:
            raise stream_error(body)
        elif kind == PAYLOAD:
            if flags & NEXT:
                self.take(payload_data(flags, body).decode())
            self.over = bool(flags & COMPLETE)  # §8.7

    def take(self, text):
        """The messages of one payload, one behind the other (§8.2)."""
        decoder, at = json.JSONDecoder(), 0
        while at < len(text):
            message, at = decoder.raw_decode(text, at)
            while at < len(text) and text[at] in " \t\r\n":
                at += 1
            if message[0] in (REPLY, FAILURE):  # §8.3: all others are not for us, or newer
                self.answers[message[1]] = [message[0], *message[2:]]
        self.taken += 1
        if self.taken == WINDOW // 2:  # §8.6: credit for what was taken
            self.line.send(self.stream, REQUEST_N, 0, struct.pack(">I", self.taken))
            self.taken = 0

    def close(self):
        """Completes our half and waits for the edge's (§8.7)."""
        self.line.send(self.stream, PAYLOAD, COMPLETE)
        while not self.over:
            self.step()


def show(value):
    print(json.dumps(value, indent=2, ensure_ascii=False))


def two_calls(line, ids):
    """The second call asks for what the first one found, in the other order."""
    conversation = Conversation(line)
    first = conversation.call("catalogue.videos", {"ids": ids})
    show(first)
    show(conversation.call("catalogue.videos", {"ids": [video["id"] for video in reversed(first["videos"])]}))
    conversation.close()


def main():
    sys.stdout.reconfigure(encoding="utf-8")
    p = argparse.ArgumentParser(description="Ask a Warmline edge.")
    p.add_argument("method", nargs="?", metavar="METHOD", help="a single call: SERVICE.METHOD; default edge.stats")
    p.add_argument("arguments", nargs="?", metavar="JSON", type=arguments, help='its arguments, such as {"ids":[1,2]}')
    p.add_argument("--edge", default="tcp://127.0.0.1:7070", metavar="ADDRESS", help="tcp://HOST:PORT or tls://HOST:PORT; default %(default)s")
    p.add_argument("--ca", metavar="FILE", help="certificates in PEM of who is trusted, for tls://; default the system's")
    p.add_argument("--token-file", metavar="FILE", help="a file with the token that says who dials")
    p.add_argument("--want", action="append", default=[], metavar="SERVICE=RANGE", help="a range of versions; may be given again")
    p.add_argument("--conversation", nargs="+", type=int, metavar="ID", help="two calls of catalogue.videos in one conversation")
    p.add_argument("--timeout", type=float, default=5.0, metavar="SECONDS", help="for everything; default %(default)g")
    a = p.parse_args()
    scheme, _, address = a.edge.partition("://")
    host, _, port = address.rpartition(":")
    if scheme not in ("tcp", "tls") or not host or not port.isdigit():
        p.error(f"--edge {a.edge}: expected tcp://HOST:PORT or tls://HOST:PORT")
    if not all("=" in want for want in a.want):
        p.error("--want: expected SERVICE=RANGE, such as catalogue=^2")
    if a.method and a.conversation:
        p.error("METHOD or --conversation, not both")
    try:
        tls = ssl.create_default_context(cafile=a.ca) if scheme == "tls" else None
        token = open(a.token_file, encoding="ascii").read().strip() if a.token_file else None
    except (OSError, ValueError) as e:
        p.error(f"--ca, --token-file: {e}")
    try:
        line = Line(host.strip("[]"), int(port), dict(want.split("=", 1) for want in a.want), a.timeout, tls, token)
        w = line.welcome
        resolved = ", ".join(f"{name} {version}" for name, version in sorted(w["resolved"].items()))
        print(f"{w['name']} {w['version']}, protocol {w['protocol']}: {resolved}", file=sys.stderr)
        if a.conversation:
            two_calls(line, a.conversation)
        else:
            show(json.loads(line.request(a.method or "edge.stats", a.arguments or b"")))
        line.close()
    except Failed as e:
        print(f"warmline_client: {e}", file=sys.stderr)
        return 1
    except (ValueError, LookupError, TypeError, struct.error) as e:
        print(f"warmline_client: the edge sent what can't be read: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
