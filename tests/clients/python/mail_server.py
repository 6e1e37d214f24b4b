"""A mail server for tests: keeps what it is sent and says so on stderr, a JSON line each.

usage: mail_server.py [--cert FILE --key FILE [--tls-at-once]] [--user NAME --password WORD] [--answers CODE,CODE…]

With a certificate it takes mail after STARTTLS alone. The n-th message is answered with the n-th code; the last holds on.
"""

import argparse
import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

parser = argparse.ArgumentParser()
parser.add_argument("--cert")
parser.add_argument("--key")
parser.add_argument("--tls-at-once", action="store_true")
parser.add_argument("--user")
parser.add_argument("--password")
parser.add_argument("--answers", default="250")
options = parser.parse_args()
answers = [int(code) for code in options.answers.split(",")]


def tell(**fields):
    print(json.dumps(fields), file=sys.stderr, flush=True)


class Handler:
    async def handle_DATA(self, server, session, envelope):
        code = answers.pop(0) if len(answers) > 1 else answers[0]
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        tell(
            mail=True,
            code=code,
            tls=session.ssl is not None or options.tls_at_once,
            user=session.auth_data.login.decode() if session.auth_data else None,
            sender=envelope.mail_from,
            receivers=envelope.rcpt_tos,
            headers=[[name, str(value)] for name, value in message.items()],
            parts={part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()},
        )
        return f"{code} it is so"


def authenticate(server, session, envelope, mechanism, data):
    well = isinstance(data, LoginPassword) and (data.login, data.password) == (
        options.user.encode(),
        options.password.encode(),
    )
    # Handled would mean that the answer was given.
    return AuthResult(success=well, handled=False, auth_data=data if well else None)


async def main():
    context = None
    if options.cert:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.cert, options.key)
    starttls = None if options.tls_at_once else context

    def session():
        return SMTP(
            Handler(),
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=authenticate if options.user else None,
            auth_required=bool(options.user),
            auth_require_tls=starttls is not None,
        )

    at_once = context if options.tls_at_once else None
    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0, ssl=at_once)
    tell(port=server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(main())
