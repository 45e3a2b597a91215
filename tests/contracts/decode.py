"""The generated Python client reads each event and writes it again as it was.

    decode.py FOLDER EVENTS SCHEMAS      EVENTS: JSON lines
"""
import importlib.util
import json
import sys

folder, events, schemas = sys.argv[1:]
spec = importlib.util.spec_from_file_location("client", f"{folder}/client.py")
client = importlib.util.module_from_spec(spec)
spec.loader.exec_module(client)
complaints = 0
types = {}


def again(name, value):
    """By the client's class of that name, and back."""
    return getattr(client, name).from_dict(value).to_dict()


with open(events, encoding="utf-8") as lines:
    for line in lines:
        event = json.loads(line)
        with open(f"{schemas}/{event['type']}.json", encoding="utf-8") as file:
            name = json.load(file)["title"]
        types[name] = types.get(name, 0) + 1
        try:
            if again("Envelope", event) != event or again(name, event["data"]) != event["data"]:
                raise ValueError("is written otherwise")
        except Exception as error:  # whatever it is, the client cannot read it
            complaints += 1
            print(f"{name}: {error!r}\n  {line}", end="")
print(f"python: {sum(types.values())} events of {len(types)} types read and written again, {complaints} complaints")
sys.exit(1 if complaints or not types else 0)
