"""An independent verdict on messages, from libxml2.

Usage: second_opinion.py SCHEMA_FOLDER INPUT
INPUT holds records "name TAB length LF bytes". For each record one line "name TAB valid|invalid TAB reason" is
printed. A message is valid if it has at least one part in the namespace of a schema, every such topmost part is valid,
and no AppHdr or Document is in a namespace without schema. Exit status 77: lxml is not installed.
"""
import os
import sys

try:
    from lxml import etree
except ImportError:
    sys.exit(77)


def namespaces(folder):
    found = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".xsd"):
            path = os.path.join(folder, name)
            found[etree.parse(path).getroot().get("targetNamespace")] = path
    return found


def main(folder, source):
    paths, loaded = namespaces(folder), {}
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)

    def schema(namespace):
        if namespace not in loaded:
            loaded[namespace] = etree.XMLSchema(etree.parse(paths[namespace]))
        return loaded[namespace]

    def parts(node):
        name = etree.QName(node)
        if name.namespace in paths:
            yield node, schema(name.namespace)
        elif name.localname in ("Document", "AppHdr"):
            yield node, None
        else:
            for child in node.iterchildren(tag=etree.Element):
                yield from parts(child)

    def verdict(data):
        try:
            root = etree.fromstring(data, parser)
        except etree.XMLSyntaxError as error:
            return False, str(error)
        if root.getroottree().docinfo.doctype:
            return False, "doctype"
        found = list(parts(root))
        if not found:
            return False, "no part"
        for node, known in found:
            if known is None:
                return False, "no schema"
            # A part is judged as a document of its own, with the declarations it needs.
            alone = etree.fromstring(etree.tostring(node, with_tail=False), parser)
            if not known.validate(alone):
                return False, known.error_log[0].message
        return True, ""

    with open(source, "rb") as stream:
        while header := stream.readline():
            name, length = header.decode().rstrip("\n").split("\t")
            valid, reason = verdict(stream.read(int(length)))
            reason = reason.replace("\n", " ").replace("\t", " ")
            print(f"{name}\t{'valid' if valid else 'invalid'}\t{reason}")


main(sys.argv[1], sys.argv[2])
