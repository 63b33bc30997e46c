"""Two sessions of QuickFIX's engine at the bank's gateway, through a crash of the bank.

Arguments: port, dictionary, a folder for its files, the tokens of tenants 7 and 8. Each step that held is a line on standard output.
"""

import queue
import sys
import time

import quickfix as fix

PORT, DICTIONARY, FOLDER, MAKER_TOKEN, TAKER_TOKEN = sys.argv[1:6]
PATIENCE_S = 60
MAKER, TAKER = "7-maker", "8"
TOKENS = {MAKER: ("7", MAKER_TOKEN), TAKER: ("8", TAKER_TOKEN)}

SETTINGS = f"""[DEFAULT]
ConnectionType=initiator
SocketConnectHost=127.0.0.1
SocketConnectPort={PORT}
StartTime=00:00:00
EndTime=00:00:00
HeartBtInt=30
ReconnectInterval=1
UseDataDictionary=Y
DataDictionary={DICTIONARY}
ValidateUserDefinedFields=Y
FileStorePath={FOLDER}/store
FileLogPath={FOLDER}/log
BeginString=FIX.4.4
TargetCompID=JINKU
[SESSION]
SenderCompID={MAKER}
[SESSION]
SenderCompID={TAKER}
"""


def name(session):
    return session.getSenderCompID().getString()


class Client(fix.Application):
    """Hands every message to its session's queue."""

    def __init__(self):
        super().__init__()
        self.heard = {of: queue.Queue() for of in TOKENS}
        self.line = {of: queue.Queue() for of in TOKENS}
        self.rejects = []

    def onCreate(self, session):
        pass

    def onLogon(self, session):
        self.line[name(session)].put("on")

    def onLogout(self, session):
        self.line[name(session)].put("off")

    def toAdmin(self, message, session):
        kind = message.getHeader().getField(35)
        if kind == "A":
            tenant, token = TOKENS[name(session)]
            message.setField(553, tenant)
            message.setField(554, token)
        if kind == "3":
            self.rejects.append(message.toString())

    def toApp(self, message, session):
        if message.getHeader().getField(35) == "j":
            self.rejects.append(message.toString())

    def fromAdmin(self, message, session):
        pass

    def fromApp(self, message, session):
        # A copy: the engine's own is gone once this returns.
        self.heard[name(session)].put(fix.Message(message))


def say(session, kind, fields, groups=(), again=False):
    message = fix.Message()
    message.getHeader().setField(8, "FIX.4.4")
    message.getHeader().setField(35, kind)
    if again:
        message.getHeader().setField(97, "Y")
    for tag, value in fields.items():
        message.setField(tag, str(value))
    for count, first, values in groups:
        for value in values:
            group = fix.Group(count, first)
            group.setField(first, value)
            message.addGroup(group)
    if kind in "DFG":
        message.setField(fix.TransactTime())
    assert fix.Session.sendToTarget(message, fix.SessionID("FIX.4.4", session, "JINKU")), kind


def hear(session, kind, **expect):
    """The next message of this type, which has these values; others are passed over, and states of orders that nobody waits for.

    After a crash the gateway may ask for requests that it has answered: each is told where its order stands.
    """
    while True:
        try:
            message = client.heard[session].get(timeout=PATIENCE_S)
        except queue.Empty:
            sys.exit(f"{session}: no {kind} with {expect} came; refused by the engine: {client.rejects}")
        found = {}
        for part in message.toString().split("\x01")[:-1]:
            tag, value = part.split("=", 1)
            found.setdefault(tag, value)
        is_state = found.get("150") == "I"
        if found["35"] == kind and (not is_state or all(found.get(tag[1:]) == str(value) for tag, value in expect.items())):
            break
    for tag, value in expect.items():
        assert found.get(tag[1:]) == str(value), f"{tag} is not {value}: {found}"
    return message


def turns(session, wanted):
    end = time.monotonic() + PATIENCE_S
    while client.line[session].get(timeout=max(0.01, end - time.monotonic())) != wanted:
        pass


def step(words):
    assert not client.rejects, client.rejects
    print("ok", words, flush=True)


def limit(cl_ord_id, side, lots, price):
    return {11: cl_ord_id, 55: "BTC/CNY", 54: side, 38: lots, 40: 2, 44: price, 59: 1}


def trading():
    for of in TOKENS:
        turns(of, "on")
    step("logon")

    book = [(267, 269, ["0", "1", "2"]), (146, 55, ["BTC/CNY"])]
    say(TAKER, "V", {262: "md", 263: 1, 264: 0, 265: 1}, book)
    hear(TAKER, "W", t262="md", t268=0)
    say(MAKER, "D", limit("m1", 2, "0.004", "500000"))
    hear(MAKER, "8", t11="m1", t150=0, t39=0, t151="0.004")
    hear(TAKER, "X", t262="md", t269=1, t270=500000, t271="0.004")
    step("rests and is seen")

    say(TAKER, "D", limit("t1", 1, "0.001", "500000"))
    hear(TAKER, "8", t11="t1", t150=0)
    hear(TAKER, "8", t11="t1", t150="F", t39=2, t31=500000, t137="0.50", t851=2)
    hear(MAKER, "8", t11="m1", t150="F", t39=1, t14="0.001", t137="-0.05", t851=1)
    step("partial fill")

    say(MAKER, "G", {41: "m1", **limit("m2", 2, "0.003", "500000")})
    hear(MAKER, "8", t11="m2", t41="m1", t150=5, t38="0.003", t151="0.002")
    say(MAKER, "D", limit("m3", 2, "0.001", "510000"))
    hear(MAKER, "8", t11="m3", t150=0)
    say(MAKER, "F", {11: "m4", 41: "m3", 55: "BTC/CNY", 54: 2})
    hear(MAKER, "8", t11="m4", t41="m3", t150=4, t39=4)
    step("replaced and cancelled")

    print("now the bank dies", flush=True)
    for of in TOKENS:
        turns(of, "off")
        turns(of, "on")
    say(MAKER, "D", limit("m1", 2, "0.004", "500000"), again=True)
    hear(MAKER, "8", t11="m2", t150="I", t39=1, t151="0.002")
    say(TAKER, "V", {262: "again", 263: 0, 264: 0}, book)
    hear(TAKER, "W", t262="again", t269=1, t270=500000, t271="0.002")
    say(TAKER, "D", limit("t2", 1, "0.001", "500000"))
    hear(TAKER, "8", t11="t2", t150=0)
    hear(TAKER, "8", t11="t2", t150="F", t39=2)
    hear(MAKER, "8", t11="m2", t150="F", t39=1, t14="0.002")
    say(MAKER, "F", {11: "m5", 41: "m1", 55: "BTC/CNY", 54: 2})
    hear(MAKER, "8", t11="m5", t41="m2", t150=4, t39=4, t14="0.002")
    step("back after the bank died, nothing placed twice")


client = Client()
path = f"{FOLDER}/settings.cfg"
with open(path, "w", encoding="utf-8") as out:
    out.write(SETTINGS)
settings = fix.SessionSettings(path)
initiator = fix.ThreadedSocketInitiator(client, fix.FileStoreFactory(settings), settings, fix.FileLogFactory(settings))
initiator.start()
try:
    trading()
finally:
    initiator.stop()
step("end")
