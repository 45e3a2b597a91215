#!/usr/bin/python3
"""Reads the text format of Prometheus (version 0.0.4) strictly and prints what it says.

    prometheus.py [--since FILE] FILE NAME[{label="value",...}] [...]

Prints the sum of the samples that a selector takes, one line each; `NAME` of a histogram is its
count. Ends with 1 when FILE is not exactly what it should be: HELP and TYPE once, before the
samples, which stand together; no series twice; names, labels and numbers well-formed; buckets that
ascend to +Inf, which is the count. With --since no counter may have gone back, and none be gone.
"""
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"^({NAME})(?:\{{((?:{LABEL})(?:,{LABEL})*)\}})? (\S+)$")
NUMBER = re.compile(r"^[+-]?([0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?|Inf)$|^NaN$")
KINDS = {"counter", "gauge", "histogram"}


class Wrong(Exception):
    pass


def need(condition, text):
    if not condition:
        raise Wrong(text)


def family_of(name, kinds):
    for ending in ("_bucket", "_sum", "_count"):
        if name.endswith(ending) and kinds.get(name[: -len(ending)]) == "histogram":
            return name[: -len(ending)]
    return name


def labels_of(text):
    pairs = re.findall(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"', text or "")
    need(len({name for name, _ in pairs}) == len(pairs), f"a label twice: {text}")
    return dict(pairs)


def check_histogram(name, samples):
    groups = {}
    for sample, labels, value in samples:
        rest = tuple(sorted((k, v) for k, v in labels.items() if k != "le"))
        group = groups.setdefault(rest, {"buckets": []})
        if sample == name + "_bucket":
            need("le" in labels, f"{name}: a bucket without le")
            group["buckets"].append((float(labels["le"]), value))
        else:
            need("le" not in labels, f"{sample}: has le")
            group[sample[len(name) :]] = value
    for group in groups.values():
        bounds = [bound for bound, _ in group["buckets"]]
        counts = [count for _, count in group["buckets"]]
        need(bounds == sorted(set(bounds)), f"{name}: bounds do not ascend")
        need(bounds and bounds[-1] == float("inf"), f"{name}: no +Inf")
        need(counts == sorted(counts), f"{name}: buckets are not cumulative")
        need(group.get("_count") == counts[-1], f"{name}: the count is not the last bucket")
        need("_sum" in group, f"{name}: no sum")


def parse(path):
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    need(text.endswith("\n"), "the last line does not end")
    need("\r" not in text, "there is a CR")
    helps, kinds, samples, closed, current = {}, {}, {}, set(), None
    seen = set()
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name, _, what = line[7:].partition(" ")
            need(name not in helps, f"HELP twice: {name}")
            need(what, f"HELP says nothing: {name}")
            helps[name] = what
        elif line.startswith("# TYPE "):
            name, _, kind = line[7:].partition(" ")
            need(name not in kinds, f"TYPE twice: {name}")
            need(kind in KINDS, f"no such type: {line}")
            need(name in helps, f"TYPE without HELP: {name}")
            need(kind != "counter" or name.endswith("_total"), f"a counter not called _total: {name}")
            need(kind == "counter" or not name.endswith("_total"), f"called _total, no counter: {name}")
            kinds[name] = kind
            samples[name] = []
        else:
            match = SAMPLE.match(line)
            need(match, f"neither comment nor sample: {line!r}")
            name, labels, number = match.group(1), labels_of(match.group(2)), match.group(3)
            family = family_of(name, kinds)
            need(family in kinds, f"a sample before its TYPE: {line}")
            if family != current:
                need(family not in closed, f"samples of {family} do not stand together")
                closed.add(family)
                current = family
            series = (name, tuple(sorted(labels.items())))
            need(series not in seen, f"a series twice: {line}")
            seen.add(series)
            need(NUMBER.match(number), f"not a number: {line}")
            value = float(number)
            need(kinds[family] == "gauge" or value >= 0, f"a negative count: {line}")
            samples[family].append((name, labels, value))
    for name, kind in kinds.items():
        if kind == "histogram":
            check_histogram(name, samples[name])
    need(helps.keys() == kinds.keys(), "HELP without TYPE")
    return kinds, samples


def select(kinds, samples, selector):
    match = re.match(rf"^({NAME})(?:\{{(.*)\}})?$", selector)
    need(match and match.group(1) in kinds, f"there is no {selector}")
    name, wanted = match.group(1), labels_of(match.group(2))
    series = name + "_count" if kinds[name] == "histogram" else name
    found = [v for n, labels, v in samples[name]
             if n == series and all(labels.get(k) == w for k, w in wanted.items())]
    return sum(found)


def not_back(before, after):
    kinds, old = before
    now = {(n, tuple(sorted(l.items()))): v for family in after[1].values() for n, l, v in family}
    for name, kind in kinds.items():
        for sample, labels, value in old[name] if kind != "gauge" else []:
            series = (sample, tuple(sorted(labels.items())))
            need(now.get(series, -1) >= value, f"{series} went from {value} to {now.get(series)}")


def main():
    arguments = sys.argv[1:]
    since = None
    if arguments[0] == "--since":
        since, arguments = arguments[1], arguments[2:]
    try:
        now = parse(arguments[0])
        if since:
            not_back(parse(since), now)
        for selector in arguments[1:]:
            print(f"{select(*now, selector):g}")
    except Wrong as wrong:
        print(f"{arguments[0]}: {wrong}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
