"""Makes error-conditions.json from Spark's spark-common-utils jar (Apache-2.0): extract.py JAR > error-conditions.json.

Output: {condition: [message template, SQLSTATE, {subclass: message template}]}; legacy placeholders are dropped.
"""

import json
import sys
import zipfile


def main(jar: str) -> None:
    with zipfile.ZipFile(jar) as archive:
        conditions = json.loads(archive.read("error/error-conditions.json"))
    compact = {}
    for name, entry in sorted(conditions.items()):
        if name.startswith("_LEGACY_ERROR_TEMP_"):
            continue
        subclasses = {sub: "\n".join(body["message"]) for sub, body in sorted(entry.get("subClass", {}).items())}
        compact[name] = ["\n".join(entry["message"]), entry.get("sqlState"), subclasses]
    lines = [f"{json.dumps(name)}:{json.dumps(body, separators=(',', ':'))}" for name, body in compact.items()]
    print("{\n" + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main(sys.argv[1])
