"""A mail server on a real socket that replies as the test says: any code at any stage, slowly, or not at all."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import Message

CLOSE = "close"  # in place of a reply: the server closes the connection

_REPLIES = {
    "banner": "220 ready",
    "EHLO": "250-scripted\r\n250 AUTH PLAIN",
    "HELO": "250 scripted",
    "AUTH": "235 welcome",
    "STARTTLS": "220 go on",
    "MAIL": "250 OK",
    "RCPT": "250 OK",
    "DATA": "354 send it",
    "content": "250 accepted",
    "RSET": "250 OK",
    "NOOP": "250 OK",
}


@dataclass
class ScriptedServer:
    """`replies` has the replies that differ from those of a server that accepts everything, `replies_once` the next one.

    A reply is sent `seconds_per_reply` later. That of `slow_stage` comes byte after byte.
    """

    replies: dict[str, str] = field(default_factory=dict)
    replies_once: dict[str, str] = field(default_factory=dict)
    seconds_per_reply: float = 0.0
    slow_stage: str = ""
    mails: list[Message] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0

    def serve(self, connection: socket.socket) -> None:
        """Talk to one client until it goes."""
        self.connections += 1
        with connection, connection.makefile("rb") as lines:
            try:
                if not self._reply(connection, "banner"):
                    return
                for line in lines:
                    verb = (line.split(maxsplit=1) or [b""])[0].decode("latin-1").upper()
                    self.commands.append(verb)
                    if verb == "QUIT" or not self._reply(connection, verb):
                        return
                    if verb == "DATA" and self._of("DATA").startswith("354") and not self._take(connection, lines):
                        return
            except OSError:
                return

    def _take(self, connection: socket.socket, lines) -> bool:
        content = []
        for line in lines:
            if line == b".\r\n":
                break
            content.append(line)
        else:
            return False
        if self._of("content").startswith("250"):
            self.mails.append(message_from_bytes(b"".join(content), policy=policy.default))
        return self._reply(connection, "content")

    def _of(self, stage: str) -> str:
        return self.replies.get(stage, _REPLIES.get(stage, "502 unknown"))

    def _reply(self, connection: socket.socket, stage: str) -> bool:
        reply = self.replies_once.pop(stage, "") or self._of(stage)
        if reply == CLOSE:
            return False
        time.sleep(self.seconds_per_reply)
        line = f"{reply}\r\n".encode()
        if stage != self.slow_stage:
            connection.sendall(line)
            return True
        for byte in line:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)
        return True


@contextmanager
def serve_script(server: ScriptedServer) -> Iterator[int]:
    """Serve `server` on a free port and yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        clients: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                clients.append(client)
                threading.Thread(target=server.serve, args=[client], daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for client in clients:
                client.close()
