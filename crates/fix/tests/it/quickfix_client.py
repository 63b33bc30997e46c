"""A client on QuickFIX's engine, checking every message of the gateway against the published FIX 4.4 dictionary.

Arguments: port, dictionary, a folder for its files, the token. Two sessions, MAKER and TAKER, go through a trading day; each step that
held is a line on standard output. Exit code 77: there is no QuickFIX here.
"""

import queue
import sys
import time

try:
    import quickfix as fix
except ImportError:
    sys.exit(77)

PORT, DICTIONARY, FOLDER, TOKEN = sys.argv[1:5]
PATIENCE_S = 20

SETTINGS = f"""[DEFAULT]
ConnectionType=initiator
SocketConnectHost=127.0.0.1
SocketConnectPort={PORT}
StartTime=00:00:00
EndTime=00:00:00
HeartBtInt=3
ReconnectInterval=1
UseDataDictionary=Y
DataDictionary={DICTIONARY}
ValidateFieldsOutOfOrder=Y
ValidateFieldsHaveValues=Y
ValidateUserDefinedFields=Y
CheckLatency=Y
FileStorePath={FOLDER}/store
FileLogPath={FOLDER}/log
BeginString=FIX.4.4
TargetCompID=JINKU
[SESSION]
SenderCompID=MAKER
[SESSION]
SenderCompID=TAKER
"""


class Client(fix.Application):
    """Hands every message to its session's queue."""

    def __init__(self):
        super().__init__()
        self.heard = {"MAKER": queue.Queue(), "TAKER": queue.Queue()}
        self.admin = {"MAKER": queue.Queue(), "TAKER": queue.Queue()}
        self.rejects = []

    def onCreate(self, session):
        pass

    def onLogon(self, session):
        self.admin[name(session)].put("on")

    def onLogout(self, session):
        self.admin[name(session)].put("off")

    def toAdmin(self, message, session):
        kind = message.getHeader().getField(35)
        if kind == "A":
            message.setField(553, "acc")
            message.setField(554, TOKEN)
        if kind == "3":
            self.rejects.append(text(message))

    def toApp(self, message, session):
        if message.getHeader().getField(35) == "j":
            self.rejects.append(text(message))

    def fromAdmin(self, message, session):
        self.admin[name(session)].put(text(message))

    def fromApp(self, message, session):
        # A copy: the engine's own is gone once this returns.
        self.heard[name(session)].put(fix.Message(message))


def name(session):
    return session.getSenderCompID().getString()


def text(message):
    return message.toString().replace("\x01", "|")


def fields(message):
    """The first value of each field, header included."""
    found = {}
    for part in message.toString().split("\x01")[:-1]:
        tag, value = part.split("=", 1)
        found.setdefault(int(tag), value)
    return found


def say(session, kind, **values):
    message = fix.Message()
    message.getHeader().setField(8, "FIX.4.4")
    message.getHeader().setField(35, kind)
    groups = values.pop("groups", [])
    for key, value in values.items():
        message.setField(int(key[1:]), str(value))
    for count, first, entries in groups:
        for entry in entries:
            group = fix.Group(count, first)
            group.setField(first, entry)
            message.addGroup(group)
    if kind in "DFGq":
        message.setField(fix.TransactTime())
    sent = fix.Session.sendToTarget(message, fix.SessionID("FIX.4.4", session, "JINKU"))
    assert sent, f"{kind} was not sent"


def hear(session, kind, **expect):
    """The next message, which has this type and these values."""
    try:
        message = client.heard[session].get(timeout=PATIENCE_S)
    except queue.Empty:
        sys.exit(f"no {kind} came; refused by the engine: {client.rejects}")
    found = fields(message)
    assert found[35] == kind, text(message)
    for key, value in expect.items():
        assert found.get(int(key[1:])) == str(value), f"{key} is not {value}: {text(message)}"
    return message


def until(queue_, wanted):
    """Passes over what comes until something has the words."""
    end = time.monotonic() + PATIENCE_S
    while True:
        found = queue_.get(timeout=max(0.01, end - time.monotonic()))
        if wanted in found:
            return found


def entries(message):
    """Entries of the group of market data, as dictionaries."""
    count = int(message.getField(268))
    kind = message.getHeader().getField(35)
    found = []
    for at in range(1, count + 1):
        group = fix.Group(268, 269 if kind == "W" else 279)
        message.getGroup(at, group)
        tags = [279, 269, 278, 270, 271]
        found.append({tag: group.getField(tag) for tag in tags if group.isSetField(tag)})
    return found


def session(of):
    return fix.Session.lookupSession(fix.SessionID("FIX.4.4", of, "JINKU"))


def step(words):
    assert not client.rejects, client.rejects
    print("ok", words, flush=True)


def trading():
    for of in client.admin:
        until(client.admin[of], "on")
    step("logon")

    say("TAKER", "x", t320="list", t559=4)
    listed = hear("TAKER", "y", t320="list", t560=0, t146=2, t55="BTC/CNY")
    group = fix.Group(146, 55)
    listed.getGroup(2, group)
    assert group.getField(55) == "ETH/CNY" and group.getField(561) == "0.001"
    say("TAKER", "e", t324="state", t55="BTC/CNY", t263=1)
    hear("TAKER", "f", t324="state", t326=17)
    step("instruments and state")

    market = [(267, 269, ["0", "1", "2"]), (146, 55, ["BTC/CNY"])]
    say("TAKER", "V", t262="md", t263=1, t264=0, t265=1, groups=market)
    assert entries(hear("TAKER", "W", t262="md", t55="BTC/CNY")) == []
    order = {"t55": "BTC/CNY", "t54": 2, "t38": 3, "t40": 2, "t44": "100.50", "t59": 1}
    say("MAKER", "D", t11="m1", t18="6", t20001="N", **order)
    hear("MAKER", "8", t11="m1", t150=0, t39=0, t151=3, t18=6)
    told = entries(hear("TAKER", "X", t262="md"))
    assert told == [{279: "0", 269: "1", 278: "A100.5", 270: "100.5", 271: "3"}], told
    step("order placed and seen in the market data")

    say("TAKER", "D", t11="t1", t55="BTC/CNY", t54=1, t38=1, t40=1, t44=101, t59=3)
    hear("TAKER", "8", t11="t1", t150=0)
    reports = [client.heard["TAKER"].get(timeout=PATIENCE_S) for _ in range(2)]
    kinds = {message.getHeader().getField(35): message for message in reports}
    fill = fields(kinds["8"])
    assert (fill[150], fill[39], fill[31], fill[32], fill[6], fill[851]) == ("F", "2", "100.5", "1", "100.5", "2"), fill
    told = entries(kinds["X"])
    assert told[0] == {279: "1", 269: "1", 278: "A100.5", 270: "100.5", 271: "2"}, told
    assert told[1] == {279: "0", 269: "2", 278: "T1", 270: "100.5", 271: "1"}, told
    hear("MAKER", "8", t11="m1", t150="F", t39=1, t14=1, t151=2, t851=1, t137="-0.01")
    step("partial fill")

    say("MAKER", "G", t11="m2", t41="m1", t55="BTC/CNY", t54=2, t38=2, t40=2, t44="100.50")
    hear("MAKER", "8", t11="m2", t41="m1", t150=5, t39=1, t38=2, t151=1)
    say("MAKER", "G", t11="m3", t41="m2", t55="BTC/CNY", t54=2, t38=2, t40=2, t44=102)
    hear("MAKER", "8", t11="m3", t41="m2", t150=5, t39=1, t44=102, t151=1)
    say("MAKER", "F", t11="m4", t41="m3", t55="BTC/CNY", t54=2, t38=2)
    hear("MAKER", "8", t11="m4", t41="m3", t150=4, t39=4, t151=0, t14=1)
    say("MAKER", "F", t11="m5", t41="m3", t55="BTC/CNY", t54=2, t38=2)
    hear("MAKER", "9", t11="m5", t41="m3", t434=1, t102=0, t39=4)
    step("replaced and cancelled")

    say("MAKER", "D", t11="bad", **{**order, "t44": "100.505"})
    hear("MAKER", "8", t11="bad", t150=8, t39=8, t103=99, t58="100.505 in tag 44 is no multiple of 0.01")
    say("MAKER", "D", t11="m1", **order)
    hear("MAKER", "8", t11="m1", t150=8, t103=6)
    say("MAKER", "R", t131="quote", groups=[(146, 55, ["BTC/CNY"])])
    hear("MAKER", "j", t380=3, t372="R")
    step("refusals")

    for at in range(3):
        say("MAKER", "D", t11=f"s{at}", t55="BTC/CNY", t54=1, t38=1, t40=4, t99=200 + at, t44=210, t59=6, t126="20300101-00:00:00")
        hear("MAKER", "8", t11=f"s{at}", t150=0, t40=4, t636="N", t126="20300101-00:00:00.000")
    say("MAKER", "H", t11="s1", t55="BTC/CNY", t54=1)
    hear("MAKER", "8", t11="s1", t150="I", t39=0)
    say("MAKER", "AF", t584="all", t585=7)
    for at in range(3):
        hear("MAKER", "8", t11=f"s{at}", t150="I", t584="all", t911=3, t912="Y" if at == 2 else "N")
    say("MAKER", "q", t11="mass", t530=7)
    seen = [client.heard["MAKER"].get(timeout=PATIENCE_S) for _ in range(4)]
    seen = sorted((fields(message) for message in seen), key=lambda found: found[35])
    assert [found[35] for found in seen] == ["8", "8", "8", "r"], seen
    assert all(found[150] == "4" for found in seen[:3]) and seen[3][533] == "3", seen
    step("status and mass cancel")

    # The engine is made to believe that it missed our latest five messages, and asks for them.
    expected = session("MAKER").getExpectedTargetNum()
    session("MAKER").setNextTargetMsgSeqNum(expected - 5)
    say("MAKER", "H", t11="s1", t55="BTC/CNY", t54=1)
    again = []
    while True:
        found = fields(client.heard["MAKER"].get(timeout=PATIENCE_S))
        again.append(found)
        if found.get(150) == "I" and found[11] == "s1" and found[39] == "4":
            break
    assert sum(found.get(43) == "Y" for found in again) >= 3, again
    step("our messages sent again")

    # And it skips numbers, which we ask for; it fills the gap.
    session("MAKER").setNextSenderMsgSeqNum(session("MAKER").getExpectedSenderNum() + 7)
    say("MAKER", "H", t11="s2", t55="BTC/CNY", t54=1)
    until(client.admin["MAKER"], "|35=2|")
    hear("MAKER", "8", t11="s2", t150="I", t39=4)
    step("its messages asked for again")

    for of in client.admin:
        until(client.admin[of], "|35=0|")
    assert session("TAKER").isLoggedOn() and session("MAKER").isLoggedOn()
    step("heartbeats")

    session("TAKER").logout("the day is over")
    until(client.admin["TAKER"], "off")
    say("MAKER", "D", t11="n1", **order)
    hear("MAKER", "8", t11="n1", t150=0)
    # Market data of the first connection is of no interest any more.
    client.heard["TAKER"] = queue.Queue()
    session("TAKER").logon()
    until(client.admin["TAKER"], "on")
    say("TAKER", "V", t262="again", t263=0, t264=1, groups=market)
    told = entries(hear("TAKER", "W", t262="again"))
    assert told[0] == {269: "1", 270: "100.5", 271: "3"} and told[1][269] == "2", told
    step("logout, and logon with numbers kept")


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
