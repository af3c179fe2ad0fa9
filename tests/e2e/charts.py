"""Renders our chart as `helm template` does, for the few constructs it uses; anything else is an error. Where there is Go, helm
itself says whether that is so (test_operator_deploy.py).

    python tests/e2e/charts.py CHART NAMESPACE [VALUES]
"""
import pathlib
import sys

import yaml

def tokens(text):
    """Texts and actions in turn; `{{-` and `-}}` take white space away."""
    at = 0
    while at < len(text):
        begin = text.find("{{", at)
        if begin < 0:
            yield "text", text[at:]
            return
        end = text.index("}}", begin) + 2
        body, before = text[begin + 2:end - 2], text[at:begin]
        if body.startswith("-"):
            before, body = before.rstrip(), body[1:]
        if body.endswith("-"):
            body = body[:-1]
            while end < len(text) and text[end].isspace():
                end += 1
        yield "text", before
        yield "action", body.strip()
        at = end


def tree(stream, ends=()):
    """Nodes until one of `ends`, which is returned with them."""
    nodes = []
    for kind, value in stream:
        word = value.split(" ", 1)[0] if kind == "action" else ""
        if word in ends:
            return nodes, word
        if word in ("if", "with"):
            inner, end = tree(stream, ("else", "end"))
            other = tree(stream, ("end",))[0] if end == "else" else []
            nodes.append((word, value.split(" ", 1)[1], inner, other))
        elif kind == "action" and word in ("range", "define", "template", "include", "else", "end"):
            raise ValueError(f"not known here: {value}")
        else:
            nodes.append((kind, value))
    return nodes, None


def evaluate(expression, scope, dot):
    value = None
    for number, step in enumerate(part.strip() for part in expression.split("|")):
        words = step.split()
        if words[0] == "toYaml":
            value = yaml.safe_dump(look_up(words[1], scope, dot), sort_keys=True, default_flow_style=False).rstrip("\n")
        elif words[0] == "nindent" and number:
            pad = " " * int(words[1])
            value = "\n" + "\n".join(pad + line if line else line for line in value.split("\n"))
        elif words[0] == "default" and number:
            value = value or look_up(words[1], scope, dot)
        elif len(words) == 1 and number == 0:
            value = look_up(words[0], scope, dot)
        else:
            raise ValueError(f"not known here: {step}")
    return value


def look_up(path, scope, dot):
    if path == ".":
        return dot
    value = scope
    for name in path.lstrip(".").split("."):
        value = value[name]
    return value


def write(nodes, scope, dot):
    out = []
    for node in nodes:
        if node[0] == "text":
            out.append(node[1])
        elif node[0] == "action":
            value = evaluate(node[1], scope, dot)
            out.append(str(value).lower() if isinstance(value, bool) else str(value))
        else:
            value = evaluate(node[1], scope, dot)
            chosen = node[2] if value else node[3]
            out.append(write(chosen, scope, value if node[0] == "with" and value else dot))
    return "".join(out)


def merged(base, over):
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{key: merged(base.get(key), value) for key, value in over.items()}}
    return over


def render(chart, namespace, values=None):
    chart = pathlib.Path(chart)
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    base = yaml.safe_load((chart / "values.yaml").read_text())
    scope = {"Values": merged(base, values or {}), "Release": {"Namespace": namespace},
             "Chart": {"AppVersion": about["appVersion"]}}
    parts = []
    for path in sorted((chart / "templates").glob("*.yaml")):
        text = write(tree(tokens(path.read_text()))[0], scope, scope).strip("\n")
        if text:
            parts.append(f"---\n# Source: {about['name']}/templates/{path.name}\n{text}\n")
    return "".join(parts)


if __name__ == "__main__":
    given = yaml.safe_load(pathlib.Path(sys.argv[3]).read_text()) if len(sys.argv) > 3 else None
    sys.stdout.write(render(sys.argv[1], sys.argv[2], given))
