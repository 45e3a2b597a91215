"""Tries, as a guest of a suite's bus, what a guest must not do, and a little of what it must be able to.

    guest_rights.py hears HEAR-URL-FILE    may hear order.* and payment.captured
    guest_rights.py says SAY-URL-FILE      may say neighbour.*
    guest_rights.py outside URL...         is not let in

Each try has a channel of its own, for a refusal closes it. Refused is only what the broker answers with
403. Exits 1 when a try ends otherwise than it should.
"""
import sys

import pika
from pika.exceptions import AMQPConnectionError, ChannelClosedByBroker

EVENTS = "warren.events"
QUEUES = ("order.commands order.payments payment.orders payment.commands notification.events "
          "notification.commands events.log.1 warren.dead").split()
EXCHANGES = (EVENTS, "warren.commands", "warren.dead")
tries = wrong = 0


def url(path):
    with open(path, encoding="ascii") as file:
        return pika.URLParameters(file.read().strip())


def attempt(connection, what, allowed, call):
    global tries, wrong
    tries += 1
    channel = connection.channel()
    try:
        call(channel)
        outcome = "was allowed"
        channel.close()
    except ChannelClosedByBroker as refusal:
        outcome = f"{refusal.reply_code} {refusal.reply_text}"
    if outcome == "was allowed" if allowed else outcome.startswith("403 "):
        return
    wrong += 1
    print(f"{what}: {outcome}")


def publish(exchange, key):
    def call(channel):
        channel.confirm_delivery()
        channel.basic_publish(exchange, key, b"hello")

    return call


def get(queue):
    def call(channel):
        channel.basic_qos(prefetch_count=1)
        channel.basic_consume(queue, lambda *_: None)

    return call


def refuse_queues(c):
    for name in QUEUES:
        attempt(c, f"consume {name}", False, get(name))
        attempt(c, f"get {name}", False, lambda ch, q=name: ch.basic_get(q))
        attempt(c, f"purge {name}", False, lambda ch, q=name: ch.queue_purge(q))
        attempt(c, f"delete {name}", False, lambda ch, q=name: ch.queue_delete(q))
        attempt(c, f"bind {name}", False, lambda ch, q=name: ch.queue_bind(q, EVENTS, "order.placed"))
        attempt(c, f"unbind {name}", False, lambda ch, q=name: ch.queue_unbind(q, EVENTS, "#"))
        attempt(c, f"publish past exchanges to {name}", False, publish("", name))


def refuse_making(c, name):
    for queue in ("mine", "guest.", "guest.other.q", f"guest.{name}", f"guest.{name}x.q", f"a.guest.{name}.q", ""):
        attempt(c, f"declare queue '{queue}'", False, lambda ch, q=queue: ch.queue_declare(q, durable=True))
    attempt(c, "declare exchange", False, lambda ch: ch.exchange_declare("mine", "topic"))
    for exchange in EXCHANGES:
        attempt(c, f"delete {exchange}", False, lambda ch, e=exchange: ch.exchange_delete(e))


def refuse_publishing(c, exchanges):
    for exchange in exchanges:
        for key in ("order.placed", "order.place", "payment.refund", "neighbour", "neighbour.a.b", "xneighbour.a",
                    "made.up", ""):
            attempt(c, f"publish to {exchange} {key}", False, publish(exchange, key))
    for exchange in ("warren.dead", "amq.topic", "amq.direct", "amq.fanout"):
        attempt(c, f"publish to {exchange}", False, publish(exchange, "neighbour.greeted"))


def around_the_rules(c, own):
    """The broker passes messages on by itself, and compares no keys then."""
    attempt(c, "an exchange of its own", True, lambda ch: ch.exchange_declare(own + "x", "topic"))
    attempt(c, "an exchange leading to warren.events", False,
            lambda ch: ch.exchange_bind(EVENTS, own + "x", "#"))
    attempt(c, "an exchange leading to commands", False,
            lambda ch: ch.exchange_bind("warren.commands", own + "x", "#"))
    attempt(c, "a queue of the suite behind its exchange", False,
            lambda ch: ch.queue_bind("order.commands", own + "x", "#"))
    attempt(c, "an exchange that hears all", False, lambda ch: ch.exchange_bind(own + "x", EVENTS, "#"))
    attempt(c, "an exchange that hears its own", True, lambda ch: ch.exchange_bind(own + "x", EVENTS, "order.*"))
    for exchange in EXCHANGES[:2]:
        attempt(c, f"an alternate exchange {exchange}", False,
                lambda ch, e=exchange: ch.exchange_declare(own + "y", "topic", arguments={"alternate-exchange": e}))
        attempt(c, f"a dead-letter exchange {exchange}", False,
                lambda ch, e=exchange: ch.queue_declare(own + "z", durable=True,
                                                        arguments={"x-dead-letter-exchange": e}))
    attempt(c, "the default exchange for the dead", False,
            lambda ch: ch.queue_declare(own + "z", durable=True, arguments={"x-dead-letter-exchange": ""}))
    attempt(c, "its exchange goes", True, lambda ch: ch.exchange_delete(own + "x"))


def hears(path):
    parameters = url(path)
    name = parameters.credentials.username.split(".")[1]
    own = f"guest.{name}."
    c = pika.BlockingConnection(parameters)
    queue = own + "rights"
    attempt(c, "a queue of its own", True, lambda ch: ch.queue_declare(queue, durable=True,
                                                                      arguments={"x-queue-type": "quorum"}))
    for key in ("order.*", "order.placed", "payment.captured"):
        attempt(c, f"hear {key}", True, lambda ch, k=key: ch.queue_bind(queue, EVENTS, k))
    for key in ("#", "*", "*.*", "order.#", "order", "order.#.placed", "orders.placed", "order.placed.twice",
                "payment.*", "payment.refunded", "notification.sent", "neighbour.greeted", ""):
        attempt(c, f"hear '{key}'", False, lambda ch, k=key: ch.queue_bind(queue, EVENTS, k))
    for exchange in ("warren.commands", "warren.dead", "amq.topic"):
        attempt(c, f"hear {exchange}", False, lambda ch, e=exchange: ch.queue_bind(queue, e, "order.*"))
    attempt(c, "consume its own", True, get(queue))
    refuse_queues(c)
    refuse_making(c, name)
    refuse_publishing(c, EXCHANGES)
    attempt(c, "say something", False, publish(EVENTS, "neighbour.greeted"))
    around_the_rules(c, own)
    attempt(c, "its queue goes", True, lambda ch: ch.queue_delete(queue))
    c.close()


def says(path):
    parameters = url(path)
    name = parameters.credentials.username.split(".")[1]
    c = pika.BlockingConnection(parameters)
    attempt(c, "say something", True, publish(EVENTS, "neighbour.greeted"))
    refuse_queues(c)
    refuse_making(c, name)
    refuse_publishing(c, (EVENTS, "warren.commands"))
    attempt(c, "a queue in the name of the other user", False,
            lambda ch: ch.queue_declare(f"guest.{name}.q", durable=True))
    attempt(c, "an exchange in its name", False, lambda ch: ch.exchange_declare(f"guest.{name}.x", "topic"))
    attempt(c, "lead amq.topic to warren.events", False, lambda ch: ch.exchange_bind(EVENTS, "amq.topic", "#"))
    c.close()


def outside(urls):
    global tries, wrong
    for text in urls:
        tries += 1
        try:
            pika.BlockingConnection(pika.URLParameters(text)).close()
        except AMQPConnectionError:
            continue
        wrong += 1
        print("is let in: " + text.split("@")[1])


if sys.argv[1] == "hears":
    hears(sys.argv[2])
elif sys.argv[1] == "says":
    says(sys.argv[2])
else:
    outside(sys.argv[2:])
print(f"{tries} tries, {wrong} went wrong")
sys.exit(1 if wrong or not tries else 0)
