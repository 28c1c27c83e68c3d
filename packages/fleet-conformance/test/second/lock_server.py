"""A second implementation of the fleet lock, from the wire contract alone and with nothing but the standard library.

    python3 lock_server.py TOKEN

Prints its address when it listens, and keeps everything in memory. It exists so that the cases hold servers against the
contract, and not against the one server that they grew up with.
"""
import json
import re
import sys
import threading
import time
import uuid
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

BASE = "/cp/admin/fleet-locks"
GROUP = re.compile(r"^[a-z0-9][a-z0-9._-]{0,62}$")
QUEUE_LIMIT = 100
ABANDONED_AFTER = 60
ROLLOUT_MAX = 8 * 1024 * 1024
CHANGED = threading.Condition()
GROUPS = {}


class Refusal(Exception):
    def __init__(self, status, error, **more):
        super().__init__(error)
        self.status, self.body = status, {"error": error, **more}


def now():
    return datetime.now(timezone.utc).isoformat()


class Claim:
    def __init__(self, claim_id, body):
        self.id, self.body = claim_id, body
        self.session, self.ttl, self.holder = body["session"], body["ttl_seconds"], body["holder"]
        self.order, self.max_hold = body.get("order"), body.get("max_hold_seconds")
        self.state, self.token, self.by, self.step = "queued", None, None, None
        self.arrived = self.polled = time.monotonic()
        self.acquired = self.renewed = self.acquired_at = self.ended_at = self.rollout = None


class Group:
    def __init__(self, name):
        self.name, self.version, self.last_token, self.frozen = name, 0, 0, None
        self.held, self.queue, self.claims, self.marks, self.events = None, [], {}, {}, []

    def log(self, kind, claim=None, actor=None, **detail):
        self.version += 1
        self.events.append({
            "seq": len(self.events) + 1, "at": now(), "kind": kind, "claim_id": claim and claim.id,
            "fencing_token": claim and claim.token, "actor": actor, "detail": detail})
        CHANGED.notify_all()

    def end(self, claim, state, actor=None, by=None, **detail):
        claim.state, claim.by, claim.ended_at = state, by, now()
        if claim is self.held:
            self.held = None
        if claim in self.queue:
            self.queue.remove(claim)
        self.log(state, claim, actor, **detail)
        self.grant()

    def grant(self):
        while self.held is None and self.queue and not self.frozen:
            claim = self.queue.pop(0)
            newer = self.newer(claim, waiting=False)
            if newer:
                self.end(claim, "outdated", by=newer)
                continue
            self.last_token += 1
            self.held, claim.state, claim.token = claim, "held", self.last_token
            claim.acquired = claim.renewed = time.monotonic()
            claim.acquired_at = now()
            self.log("granted", claim)

    def newer(self, claim, waiting=True):
        """What makes this claim outdated."""
        if not claim.order:
            return None
        key, number = claim.order["key"], claim.order["number"]
        rivals = ([self.held] if self.held else []) + (self.queue if waiting else [])
        numbers = [one.order["number"] for one in rivals if one.order and one.order["key"] == key]
        highest = max(numbers + [self.marks.get(key, -1)])
        return {"number": highest} if highest > number else None

    def arrive(self, claim):
        if len(self.queue) >= QUEUE_LIMIT:
            raise Refusal(429, "queue_full")
        self.claims[claim.id] = claim
        newer = self.newer(claim)
        if newer:
            self.end(claim, "outdated", by=newer)
            return
        beaten = [one for one in self.queue if claim.order and one.order and one.order["key"] == claim.order["key"]
                  and one.order["number"] < claim.order["number"]]
        place = self.queue.index(beaten[0]) if beaten else len(self.queue)
        self.queue.insert(place, claim)
        self.log("queued", claim)
        for one in beaten:
            self.end(one, "superseded", by={"number": claim.order["number"]})
        self.grant()

    def sweep(self):
        moment, held = time.monotonic(), self.held
        if held and moment - held.renewed > held.ttl:
            self.end(held, "lost", reason="expired")
        elif held and held.max_hold and moment - held.acquired > held.max_hold:
            self.end(held, "lost", reason="max_hold")
        for claim in [one for one in self.queue if moment - one.polled > ABANDONED_AFTER]:
            self.end(claim, "abandoned")

    def mark(self, claim):
        if claim.order:
            key = claim.order["key"]
            self.marks[key] = max(self.marks.get(key, -1), claim.order["number"])


def sweeper():
    while True:
        time.sleep(0.2)
        with CHANGED:
            for group in list(GROUPS.values()):
                group.sweep()


def need(condition, what):
    if not condition:
        raise Refusal(400, "bad_request", detail=what)


def is_number(value, low, high):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high


def text_of(body, field):
    need(isinstance(body.get(field), str) and body[field], field)
    return body[field]


def check_claim(body):
    session = text_of(body, "session")
    need(8 <= len(session) <= 128, "session")
    need(is_number(body.get("ttl_seconds"), 1, 3600), "ttl_seconds")
    holder, order = body.get("holder"), body.get("order")
    need(isinstance(holder, dict) and isinstance(holder.get("name"), str), "holder")
    if order is not None:
        need(isinstance(order, dict) and isinstance(order.get("key"), str), "order")
        need(is_number(order.get("number"), 0, 2**53), "order")
    known = ("session", "ttl_seconds", "holder", "order", "max_hold_seconds")
    return {field: body[field] for field in known if field in body}


def put_claim(group, claim_id, body, query):
    body = check_claim(body)
    claim = group.claims.get(claim_id)
    if claim and claim.session != body["session"]:
        raise Refusal(409, "claim_in_use")
    if claim and claim.body != body:
        raise Refusal(422, "claim_differs")
    if not claim:
        claim = Claim(claim_id, body)
        group.arrive(claim)
    until = time.monotonic() + min(float(query.get("wait_seconds", 0)), 25)
    while claim.state == "queued" and not group.frozen and time.monotonic() < until:
        claim.polled = time.monotonic()
        CHANGED.wait(until - time.monotonic())
    claim.polled = time.monotonic()
    if claim.state == "held":
        return 200, {"state": "held", "fencing_token": claim.token, "ttl_seconds": claim.ttl,
                     "acquired_at": claim.acquired_at}
    if claim.state == "queued":
        answer = {"state": "queued", "position": group.queue.index(claim) + 1, "queue_length": len(group.queue),
                  "holder": group.held and group.held.holder}
        return 202, {**answer, "frozen": group.frozen} if group.frozen else answer
    if claim.state in ("superseded", "outdated"):
        raise Refusal(409, claim.state, by=claim.by)
    raise Refusal(410, "claim_over", state=claim.state)


def is_holder(group, claim_id, body):
    claim = group.held
    return claim and claim.id == claim_id and claim.session == body.get("session") \
        and claim.token == body.get("fencing_token")


def renew(group, claim_id, body):
    group.sweep()
    if not is_holder(group, claim_id, body):
        raise Refusal(409, "lease_lost", reason="it is not the holder")
    claim = group.held
    claim.renewed = time.monotonic()
    if claim.step != body.get("step", claim.step):
        claim.step = body["step"]
        group.version += 1
        CHANGED.notify_all()
    return 200, {"state": "held", "ttl_seconds": claim.ttl}


def release(group, claim_id, body):
    session, claim = text_of(body, "session"), group.claims.get(claim_id)
    if claim is None:
        # Remembered, so that a request that is still on its way cannot claim any more.
        claim = Claim(claim_id, {"session": session, "ttl_seconds": 1, "holder": {"name": "left"}})
        claim.state = "left"
        group.claims[claim_id] = claim
        return 200, {"state": "left", "already": False}
    if claim.session != session:
        raise Refusal(409, "claim_in_use")
    if claim.state not in ("queued", "held"):
        return 200, {"state": claim.state, "already": True}
    rollout = body.get("rollout")
    too_large = rollout is not None and len(json.dumps(rollout)) > ROLLOUT_MAX
    if claim.state == "held":
        if rollout is not None and not too_large:
            claim.rollout = rollout
        if body.get("result") == "proven":
            group.mark(claim)
    group.end(claim, "released" if claim.state == "held" else "left", result=body.get("result"))
    if too_large:
        raise Refusal(413, "rollout_too_large")
    return 200, {"state": claim.state, "already": False}


def save_rollout(group, claim_id, body):
    if not is_holder(group, claim_id, body):
        raise Refusal(409, "lease_lost", reason="it is not the holder")
    group.held.rollout = body["rollout"]
    return 200, {}


def entry(claim, whole):
    rollout = claim.rollout if whole else {
        field: value for field, value in claim.rollout.items() if field not in ("tenants", "slugs")}
    ended = "ended" if claim.state == "released" and claim.rollout.get("outcome") else "lost"
    return {"claim_id": claim.id, "fencing_token": claim.token, "holder": claim.holder,
            "state": "running" if claim.state == "held" else ended,
            "started_at": claim.acquired_at, "ended_at": claim.ended_at, "rollout": rollout}


def list_rollouts(group, query):
    known = sorted((one for one in group.claims.values() if one.rollout), key=lambda one: -one.token)
    if "before" in query:
        known = [one for one in known if one.token < int(query["before"])]
    if "outcome" in query:
        known = [one for one in known if one.rollout.get("outcome") == query["outcome"]]
    limit = int(query.get("limit", 20))
    more = known[limit - 1].token if len(known) > limit else None
    return 200, {"rollouts": [entry(one, False) for one in known[:limit]], "next_before": more}


def one_rollout(group, claim_id):
    claim = group.claims.get(claim_id)
    if not claim or not claim.rollout:
        raise Refusal(404, "unknown_rollout")
    return 200, entry(claim, True)


def held_view(group):
    claim, moment = group.held, time.monotonic()
    return claim and {
        "claim_id": claim.id, "fencing_token": claim.token, "holder": claim.holder, "step": claim.step,
        "held_for_seconds": moment - claim.acquired, "last_renew_seconds_ago": moment - claim.renewed,
        "alive": moment - claim.renewed < claim.ttl / 2}


def status(group, query):
    until = time.monotonic() + min(float(query.get("wait_seconds", 0)), 25)
    while str(group.version) == query.get("after_version") and time.monotonic() < until:
        CHANGED.wait(until - time.monotonic())
    queue = [{"claim_id": one.id, "position": place + 1, "holder": one.holder, "order": one.order,
              "waiting_for_seconds": time.monotonic() - one.arrived} for place, one in enumerate(group.queue)]
    return 200, {"group": group.name, "version": group.version, "held": held_view(group), "queue": queue,
                 "frozen": group.frozen, "draining": None, "last_fencing_token": group.last_token}


def break_lease(group, body):
    actor, reason = text_of(body, "actor"), text_of(body, "reason")
    if not group.held or group.held.token != body.get("fencing_token"):
        raise Refusal(409, "token_mismatch")
    if held_view(group)["alive"] and body.get("confirm_alive") is not True:
        raise Refusal(409, "holder_alive")
    group.end(group.held, "broken", actor, reason=reason)
    return 200, {"state": "broken"}


def freeze(group, body):
    actor, reason = text_of(body, "actor"), text_of(body, "reason")
    if group.frozen and body.get("replace") is not True:
        raise Refusal(409, "already_frozen", frozen=group.frozen)
    group.frozen = {"reason": reason, "actor": actor, "since": now(), "until": body.get("until")}
    group.log("frozen", None, actor, reason=reason)
    return 200, {"frozen": group.frozen}


def unfreeze(group, body):
    actor = text_of(body, "actor")
    if not group.frozen:
        raise Refusal(409, "not_frozen")
    group.frozen = None
    group.log("unfrozen", None, actor)
    group.grant()
    return 200, {"frozen": None}


def collection():
    groups = [{"group": one.name, "held": held_view(one), "queue_length": len(one.queue), "frozen": one.frozen,
               "last_fencing_token": one.last_token} for one in GROUPS.values()]
    return 200, {"groups": groups, "features": ["rollouts"]}


def route(method, path, query, body):
    rest = unquote(path)[len(BASE):].strip("/")
    if not path.startswith(BASE):
        raise Refusal(404, "not_found")
    if not rest:
        return collection()
    name, *parts = rest.split("/")
    need(GROUP.match(name), "group")
    if method == "GET" and name not in GROUPS:
        raise Refusal(404, "unknown_group")
    if method != "GET":
        need(isinstance(body, dict), "body")
    group = GROUPS.get(name) or Group(name)
    group.sweep()
    if parts[:1] == ["claims"] and len(parts) in (2, 3):
        try:
            claim_id = str(uuid.UUID(parts[1]))
        except ValueError:
            raise Refusal(400, "bad_request", detail="claim_id") from None
        if method == "PUT" and len(parts) == 2:
            check_claim(body)
            GROUPS[name] = group
            return put_claim(group, claim_id, body, query)
        calls = {"renew": renew, "release": release, "rollout": save_rollout}
        if method == "POST" and parts[2:] and parts[2] in calls:
            GROUPS[name] = group
            return calls[parts[2]](group, claim_id, body)
    calls = {"break": break_lease, "freeze": freeze, "unfreeze": unfreeze}
    if method == "POST" and len(parts) == 1 and parts[0] in calls:
        GROUPS[name] = group
        return calls[parts[0]](group, body)
    if method == "GET" and not parts:
        return status(group, query)
    if method == "GET" and parts == ["events"]:
        after = int(query.get("after", 0))
        return 200, {"group": name, "events": [row for row in group.events if row["seq"] > after]}
    if method == "GET" and parts == ["rollouts"]:
        return list_rollouts(group, query)
    if method == "GET" and len(parts) == 2 and parts[0] == "rollouts":
        return one_rollout(group, parts[1])
    raise Refusal(404, "not_found")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def serve(self):
        text = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            if self.headers.get("authorization") != f"Bearer {sys.argv[1]}":
                raise Refusal(401, "unauthorized")
            url = urlsplit(self.path)
            try:
                body = json.loads(text) if text else None
            except ValueError:
                raise Refusal(400, "bad_request", detail="no JSON") from None
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            with CHANGED:
                code, answer = route(self.command, url.path, query, body)
        except Refusal as refusal:
            code, answer = refusal.status, refusal.body
        data = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_POST = serve

    def log_message(self, *_args):
        pass


if __name__ == "__main__":
    threading.Thread(target=sweeper, daemon=True).start()
    # More than the default of five connections may come at once.
    ThreadingHTTPServer.request_queue_size = 128
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
