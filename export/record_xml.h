/* XML in and out for the readers of records: a read-only tree, and elements written in order. Names are local names,
 * the namespace is left out of account. No document type declarations with entities, no network, limits on depth and
 * size. */
#ifndef INTRA_EXPORT_RECORD_XML_H
#define INTRA_EXPORT_RECORD_XML_H

#include "core/inspection.h"

#include <stdio.h>

struct intra_xml;      /* a document, owned */
struct intra_xml_node; /* an element, the document's */

/* Errors: INTRA_E_IO, INTRA_E_FORMAT (not well-formed, with line; entities), INTRA_E_MEM. */
enum intra_status intra_xml_read(const char *path, struct intra_xml **out, struct intra_error *err);
void intra_xml_destroy(struct intra_xml **xml);
const struct intra_xml_node *intra_xml_root(const struct intra_xml *xml);

/* First child, next sibling of that name (NULL: of any); NULL where there is none. `node` may be NULL. */
const struct intra_xml_node *intra_xml_child(const struct intra_xml_node *node, const char *name);
const struct intra_xml_node *intra_xml_next(const struct intra_xml_node *node, const char *name);
const char *intra_xml_name(const struct intra_xml_node *node);
int intra_xml_line(const struct intra_xml_node *node);
/* Text of an element without blanks around it, NULL where there is none; the document's. */
const char *intra_xml_text(const struct intra_xml_node *node);
/* Text of the element at a path of children, "Lage/Strassenname". */
const char *intra_xml_get(const struct intra_xml_node *node, const char *path);
const char *intra_xml_attribute(const struct intra_xml_node *node, const char *name); /* NULL */

/* Append all leaves below `node`, verbatim, named by their path, "Lage/Strassenname"; a second sibling of the same name
 * is "Pruefung[2]/...". Attributes are "B@ADE". `prefix` goes before each name. Elements called skip1 or skip2 (NULL:
 * none) are left out with what is in them. */
enum intra_status intra_xml_fields(const struct intra_xml_node *node, const char *prefix, const char *skip1,
                                   const char *skip2, struct intra_fields *fields, struct intra_error *err);

/* Writing, in ISO-8859-1 (what that lacks as character references). Write errors stay in the stream. */
struct intra_xml_out {
    FILE *stream;
    int depth;
};
void intra_xml_begin(struct intra_xml_out *out, const char *name);
void intra_xml_end(struct intra_xml_out *out, const char *name);
/* An element with text; nothing for NULL. max_chars > 0 cuts longer text. */
void intra_xml_put(struct intra_xml_out *out, const char *name, const char *text, int max_chars);
/* All fields whose name begins with `prefix`, nested again as intra_xml_fields took them; the prefix is left out. */
void intra_xml_put_fields(struct intra_xml_out *out, const struct intra_fields *fields, const char *prefix);

#endif
