/* XML by libxml2: the only file that knows it. */
#include "export/record_xml.h"

#include "core/fileio.h"
#include "core/mem.h"
#include "export/record_internal.h"

#include <ctype.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <pthread.h>
#include <string.h>

enum { MAX_PATH_CHARS = 512, MAX_LEVELS = 32 };

static pthread_once_t once = PTHREAD_ONCE_INIT;

static xmlDocPtr of(const struct intra_xml *xml)
{
    return (xmlDocPtr)(void *)(uintptr_t)xml;
}

static const xmlNode *node_of(const struct intra_xml_node *node)
{
    return (const xmlNode *)(const void *)node;
}

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Takes the blanks off both ends of every text, in place. */
static void trim_all(xmlNodePtr root)
{
    for (xmlNodePtr node = root; node;) {
        if (node->type == XML_TEXT_NODE && node->content) {
            xmlChar *text = node->content;
            size_t n = strlen((char *)text), from = 0;
            while (n > 0 && is_blank(text[n - 1]))
                n--;
            while (from < n && is_blank(text[from]))
                from++;
            memmove(text, text + from, n - from);
            text[n - from] = 0;
        }
        if (node->type == XML_ELEMENT_NODE && node->children) {
            node = node->children;
            continue;
        }
        while (node && node != root && !node->next)
            node = node->parent;
        node = !node || node == root ? NULL : node->next;
    }
}

static xmlDocPtr parse(xmlParserCtxtPtr parser, const char *text, size_t size, const char *encoding)
{
    return xmlCtxtReadMemory(parser, text, (int)size, NULL, encoding,
                             XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
}

enum intra_status intra_xml_read(const char *path, struct intra_xml **out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char *text = NULL;
    size_t size = 0;
    xmlParserCtxtPtr parser = NULL;
    xmlDocPtr doc = NULL;
    *out = NULL;
    pthread_once(&once, xmlInitParser);
    INTRA_TRY(intra_read_file(path, INTRA_RECORD_MAX_BYTES, &text, &size, err));
    parser = xmlNewParserCtxt();
    if (!parser) {
        status = INTRA_FAIL(err, INTRA_E_MEM, "no memory to read %s", path);
        goto done;
    }
    doc = parse(parser, text, size, NULL);
    if (!doc && (parser->errNo == XML_ERR_INVALID_CHAR || parser->errNo == XML_ERR_INVALID_ENCODING))
        doc = parse(parser, text, size, "windows-1252"); /* written without saying so */
    if (!doc) {
        const xmlError *seen = xmlCtxtGetLastError(parser);
        char what[200] = "not XML";
        if (seen && seen->message) snprintf(what, sizeof what, "%s", seen->message);
        what[strcspn(what, "\r\n")] = 0;
        status = parser->errNo == XML_ERR_NO_MEMORY ? INTRA_FAIL(err, INTRA_E_MEM, "no memory to read %s", path)
                                                    : INTRA_FAIL(err, INTRA_E_FORMAT, "%s: damaged XML in line %d: %s",
                                                                 path, seen ? seen->line : 0, what);
        goto done;
    }
    if (doc->intSubset && doc->intSubset->entities) {
        status =
            INTRA_FAIL(err, INTRA_E_FORMAT, "%s: declares entities, which no inspection record does; not read", path);
        goto done;
    }
    trim_all(xmlDocGetRootElement(doc));
    *out = (struct intra_xml *)(void *)doc;
    doc = NULL;
done:
    if (doc) xmlFreeDoc(doc);
    if (parser) xmlFreeParserCtxt(parser);
    intra_free(text);
    return status;
}

void intra_xml_destroy(struct intra_xml **xml)
{
    if (*xml) xmlFreeDoc(of(*xml));
    *xml = NULL;
}

const struct intra_xml_node *intra_xml_root(const struct intra_xml *xml)
{
    return (const struct intra_xml_node *)(const void *)xmlDocGetRootElement(of(xml));
}

static const struct intra_xml_node *first_of(const xmlNode *node, const char *name, size_t n)
{
    for (; node; node = node->next)
        if (node->type == XML_ELEMENT_NODE &&
            (!name || (strncmp((const char *)node->name, name, n) == 0 && node->name[n] == 0)))
            return (const struct intra_xml_node *)(const void *)node;
    return NULL;
}

const struct intra_xml_node *intra_xml_child(const struct intra_xml_node *node, const char *name)
{
    return node ? first_of(node_of(node)->children, name, name ? strlen(name) : 0) : NULL;
}

const struct intra_xml_node *intra_xml_next(const struct intra_xml_node *node, const char *name)
{
    return node ? first_of(node_of(node)->next, name, name ? strlen(name) : 0) : NULL;
}

const char *intra_xml_name(const struct intra_xml_node *node)
{
    return (const char *)node_of(node)->name;
}

int intra_xml_line(const struct intra_xml_node *node)
{
    return (int)xmlGetLineNo(node_of(node));
}

const char *intra_xml_text(const struct intra_xml_node *node)
{
    if (!node) return NULL;
    for (const xmlNode *part = node_of(node)->children; part; part = part->next)
        if (part->type == XML_TEXT_NODE && part->content && part->content[0]) return (const char *)part->content;
    return NULL;
}

const char *intra_xml_get(const struct intra_xml_node *node, const char *path)
{
    while (node && *path) {
        size_t n = strcspn(path, "/");
        node = first_of(node_of(node)->children, path, n);
        path += n + (path[n] == '/');
    }
    return intra_xml_text(node);
}

const char *intra_xml_attribute(const struct intra_xml_node *node, const char *name)
{
    for (const xmlAttr *a = node_of(node)->properties; a; a = a->next)
        if (strcmp((const char *)a->name, name) == 0)
            return a->children && a->children->content ? (const char *)a->children->content : "";
    return NULL;
}

/* Which one of the same name it is, from 1, given the sibling before it and that one's number. */
static int number_of(const xmlNode *node)
{
    int n = 1;
    int looked = 0; /* bounded: a million siblings stay affordable */
    for (const xmlNode *other = node->prev; other && looked < 2000; other = other->prev, looked++)
        n += other->type == XML_ELEMENT_NODE && strcmp((const char *)other->name, (const char *)node->name) == 0;
    return n;
}

static enum intra_status add_attributes(const xmlNode *node, const char *path, struct intra_fields *fields,
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    for (const xmlAttr *a = node->properties; a && status == INTRA_OK; a = a->next) {
        char name[MAX_PATH_CHARS + 80];
        snprintf(name, sizeof name, "%s@%.60s", path, (const char *)a->name);
        status = intra_fields_add(fields, name, a->children ? (const char *)a->children->content : NULL, err);
    }
    return status;
}

enum intra_status intra_xml_fields(const struct intra_xml_node *node, const char *prefix, const char *skip1,
                                   const char *skip2, struct intra_fields *fields, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    for (const struct intra_xml_node *child = intra_xml_child(node, NULL); child; child = intra_xml_next(child, NULL)) {
        char path[MAX_PATH_CHARS];
        const char *name = intra_xml_name(child);
        int number;
        if ((skip1 && strcmp(name, skip1) == 0) || (skip2 && strcmp(name, skip2) == 0)) continue;
        number = number_of(node_of(child));
        if (number > 1)
            snprintf(path, sizeof path, "%s%.100s[%d]", prefix, name, number);
        else
            snprintf(path, sizeof path, "%s%.100s", prefix, name);
        INTRA_TRY(add_attributes(node_of(child), path, fields, err));
        if (intra_xml_child(child, NULL)) {
            size_t n = strlen(path);
            if (n + 110 > sizeof path) {
                status =
                    INTRA_FAIL(err, INTRA_E_FORMAT, "elements nested too deeply for an inspection record (line %d)",
                               intra_xml_line(child));
                goto done;
            }
            memcpy(path + n, "/", 2);
            INTRA_TRY(intra_xml_fields(child, path, skip1, skip2, fields, err));
        } else {
            INTRA_TRY(intra_fields_add(fields, path, intra_xml_text(child), err));
        }
    }
done:
    return status;
}

static void put_escaped(FILE *stream, const char *text, int max_chars)
{
    const unsigned char *p = (const unsigned char *)text;
    for (int n = 0; *p && (max_chars <= 0 || n < max_chars); n++) {
        unsigned long c = *p++;
        int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
        if (more) c &= 0x3fu >> more;
        for (; more > 0 && (*p & 0xc0) == 0x80; more--)
            c = c << 6 | (*p++ & 0x3f);
        if (c == '&')
            fputs("&amp;", stream);
        else if (c == '<')
            fputs("&lt;", stream);
        else if (c == '>')
            fputs("&gt;", stream);
        else if (c < 0x20 && c != '\t' && c != '\n')
            fputc(' ', stream); /* XML 1.0 has no place for it */
        else if (c < 0x7f || (c >= 0xa0 && c <= 0xff))
            fputc((int)c, stream);
        else if (c == 0xfffe || c == 0xffff || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
            fputc('?', stream);
        else
            fprintf(stream, "&#%lu;", c);
    }
}

static void indent(struct intra_xml_out *out)
{
    fprintf(out->stream, "%*s", 2 * out->depth, "");
}

void intra_xml_begin(struct intra_xml_out *out, const char *name)
{
    indent(out);
    fprintf(out->stream, "<%s>\n", name);
    out->depth++;
}

void intra_xml_end(struct intra_xml_out *out, const char *name)
{
    out->depth--;
    indent(out);
    fprintf(out->stream, "</%.*s>\n", (int)strcspn(name, " "), name);
}

void intra_xml_put(struct intra_xml_out *out, const char *name, const char *text, int max_chars)
{
    if (!text) return;
    indent(out);
    if (!*text) {
        fprintf(out->stream, "<%s/>\n", name);
        return;
    }
    fprintf(out->stream, "<%s>", name);
    put_escaped(out->stream, text, max_chars);
    fprintf(out->stream, "</%s>\n", name);
}

/* The name of a level without its number. */
static const char *level_name(const char *from, size_t n, char out[128])
{
    size_t m = 0;
    for (; m < n && m < 127 && from[m] != '['; m++)
        out[m] = from[m];
    out[m] = 0;
    return out;
}

void intra_xml_put_fields(struct intra_xml_out *out, const struct intra_fields *fields, const char *prefix)
{
    size_t skip = strlen(prefix);
    const char *open = ""; /* path of the field before, whose parents are open */
    int n_open = 0;
    char name[128];
    const char *levels[MAX_LEVELS];
    for (int i = 0; i <= fields->n; i++) {
        const char *path = i < fields->n ? fields->items[i].name : "";
        int same = 0;
        size_t at = 0;
        if (i < fields->n && (strncmp(path, prefix, skip) != 0 || strchr(path, '@'))) continue;
        if (i < fields->n) path += skip;
        /* parents shared with the one before stay open */
        while (same < n_open) {
            size_t n = strcspn(path + at, "/");
            if (path[at + n] != '/' || strncmp(open + at, path + at, n + 1) != 0) break;
            at += n + 1;
            same++;
        }
        while (n_open > same) {
            n_open--;
            intra_xml_end(out, level_name(levels[n_open], strcspn(levels[n_open], "/"), name));
        }
        if (i == fields->n) break;
        for (int k = 0; k < same; k++) /* the levels' names move along with the path */
            levels[k] = k ? strchr(levels[k - 1], '/') + 1 : path;
        while (path[at + strcspn(path + at, "/")] == '/' && n_open < MAX_LEVELS) {
            levels[n_open++] = path + at;
            intra_xml_begin(out, level_name(path + at, strcspn(path + at, "/"), name));
            at += strcspn(path + at, "/") + 1;
        }
        intra_xml_put(out, level_name(path + at, strlen(path + at), name),
                      fields->items[i].value ? fields->items[i].value : "", 0);
        open = path;
    }
}
