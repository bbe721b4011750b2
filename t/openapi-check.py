#!/usr/bin/env python3
"""openapi-check.py OPENAPI [GUIDE] - is the document whole? Every $ref is there and
everything in components is used; operations have names of their own, and each a
401 and 403 where it asks for a token; the paths without /v1 are the same as those
with it; examples are as their schemas say; GUIDE, if given, names every path.
Prints what is wrong and exits 1."""
import json
import re
import sys

from jsonschema_rs import Draft202012Validator

METHODS = ("get", "post", "put", "delete", "patch")
faults = []


def at(doc, pointer):
    for part in pointer[2:].split("/"):
        doc = doc[part.replace("~1", "/").replace("~0", "~")]
    return doc


def walk(node, where):
    yield where, node
    if isinstance(node, dict):
        for k, v in node.items():
            yield from walk(v, f"{where}/{k}")
    elif isinstance(node, list):
        for k, v in enumerate(node):
            yield from walk(v, f"{where}/{k}")


def refs(doc):
    used = set()
    for where, node in walk(doc, ""):
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            used.add(node["$ref"])
            try:
                at(doc, node["$ref"])
            except KeyError:
                faults.append(f"{where}: {node['$ref']} is not there")
    for kind, things in doc["components"].items():
        for name in things:
            # 405 is of the methods that are not here.
            if kind != "securitySchemes" and name != "MethodNotAllowed" and f"#/components/{kind}/{name}" not in used:
                faults.append(f"components/{kind}/{name} is not used")


def whole(doc, node):
    """Without $ref. Our schemas do not recurse."""
    if isinstance(node, dict):
        if "$ref" in node:
            return whole(doc, at(doc, node["$ref"]))
        return {k: whole(doc, v) for k, v in node.items()}
    return [whole(doc, v) for v in node] if isinstance(node, list) else node


def examples(doc):
    for where, node in walk(doc, ""):
        if not isinstance(node, dict) or not isinstance(node.get("schema"), dict):
            continue
        shown = [node["example"]] if "example" in node else []
        shown += [e["value"] for e in node.get("examples", {}).values()]
        schema = whole(doc, node["schema"])
        check = Draft202012Validator(schema)
        for e in shown:
            faults.extend(f"{where}: the example: {x.message}" for x in check.iter_errors(e))


def operations(doc):
    names = {}
    for path, item in doc["paths"].items():
        for method in METHODS:
            op = item.get(method)
            if not op:
                continue
            where = f"{method.upper()} {path}"
            name = op["operationId"]
            if name in names:
                faults.append(f"{where}: {name} is also {names[name]}")
            names[name] = where
            given = {p.split("/")[-1] for p in (p["$ref"] for p in op.get("parameters", []))}
            inside = {doc["components"]["parameters"][g]["name"] for g in given if doc["components"]["parameters"][g]["in"] == "path"}
            if inside != set(re.findall(r"{(\w+)}", path)):
                faults.append(f"{where}: its path's parameters are not described")
            if op["security"] and not {"401", "403", "429", "503"} <= set(op["responses"]):
                faults.append(f"{where}: asks for a token and lacks 401, 403, 429 or 503")
            if "requestBody" in op and not {"400", "413", "415", "422"} <= set(op["responses"]):
                faults.append(f"{where}: has a body and lacks 400, 413, 415 or 422")
            for code, response in op["responses"].items():
                if "X-Request-Id" not in whole(doc, response).get("headers", {}):
                    faults.append(f"{where}: {code} has no X-Request-Id")


def same(doc):
    for path, item in doc["paths"].items():
        if path.startswith("/v1/jobs"):
            other = doc["paths"].get(path[3:])
            if not other:
                faults.append(f"{path[3:]} is not there")
                continue
            for method, op in item.items():
                mine, its = json.loads(json.dumps(op)), json.loads(json.dumps(other[method]))
                for o in (mine, its):
                    o.pop("description", None)
                    o.pop("operationId")
                    for r in o["responses"].values():
                        r.pop("links", None)
                if mine != its:
                    faults.append(f"{method.upper()} {path[3:]} is not what it is with /v1")


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        doc = json.load(f)
    refs(doc)
    if not faults:
        operations(doc)
        same(doc)
        examples(doc)
    if len(sys.argv) > 2:
        with open(sys.argv[2], encoding="utf-8") as f:
            guide = f.read()
        for path in doc["paths"]:
            pattern = re.sub(r"\\{\w+\\}", r"[^/\\s`'\"?]+", re.escape(path))
            if not re.search(r"(?<![\w/])(?:\$api)?" + pattern + r"(?![\w/])", guide):
                faults.append(f"{sys.argv[2]} does not show {path}")
    print("\n".join(faults) or f"{len(doc['paths'])} paths")
    return 1 if faults else 0


sys.exit(main())
