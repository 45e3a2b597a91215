"""A real SMTP server (aiosmtpd) on loopback, for tests, on a free port or SMTP_PORT_WANTED.

    smtp_server.py DIRECTORY MODE [CERTIFICATE KEY]

Writes its port to DIRECTORY/port, and each mail that it accepts as one JSON line
to DIRECTORY/mails. MODE:
    accept      takes everything
    busy        answers 451 to the first MAIL, then takes everything
    unknown     answers 550 to every RCPT
    forgetful   takes the first mail and hangs up instead of saying so
    silent      accepts connections and never says a word
With a certificate it offers STARTTLS. Runs until TERM.
"""

import asyncio
import json
import os
import signal
import ssl
import sys

from aiosmtpd.smtp import SMTP


class Handler:
    def __init__(self, directory, mode):
        self.directory = directory
        self.mode = mode
        self.mails = 0
        self.transactions = 0

    async def handle_MAIL(self, server, session, envelope, address, options):
        self.transactions += 1
        if self.mode == "busy" and self.transactions == 1:
            return "451 4.3.2 Come back later"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.mode == "unknown":
            return "550 5.1.1 No such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.mails += 1
        with open(os.path.join(self.directory, "mails"), "a", encoding="ascii") as file:
            mail = {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "content": envelope.content.decode("ascii"),
                "tls": session.ssl is not None,
            }
            file.write(json.dumps(mail) + "\n")
        if self.mode == "forgetful" and self.mails == 1:
            server.transport.abort()
        return "250 OK"


async def say_nothing(reader, _writer):
    await reader.read()


async def main():
    directory, mode = sys.argv[1:3]
    wanted = int(os.environ.get("SMTP_PORT_WANTED", "0"))
    context = None
    if len(sys.argv) > 3:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[3], sys.argv[4])
    handler = Handler(directory, mode)
    loop = asyncio.get_running_loop()
    if mode == "silent":
        server = await asyncio.start_server(say_nothing, "127.0.0.1", wanted)
    else:
        server = await loop.create_server(
            lambda: SMTP(handler, hostname="localhost", tls_context=context), "127.0.0.1", wanted
        )
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    part = os.path.join(directory, "port.part")
    with open(part, "w", encoding="ascii") as file:
        file.write(str(server.sockets[0].getsockname()[1]))
    os.rename(part, os.path.join(directory, "port"))
    await stop.wait()


asyncio.run(main())
