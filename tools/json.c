#include "tools/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

static void put_string(FILE *stream, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    fputc('"', stream);
    while (*p) {
        int more = *p < 0x80                 ? 0
                   : *p >= 0xc2 && *p < 0xe0 ? 1
                   : (*p & 0xf0) == 0xe0     ? 2
                   : *p >= 0xf0 && *p < 0xf5 ? 3
                                             : -1;
        bool is_valid = more >= 0;
        for (int i = 1; i <= more && is_valid; i++)
            is_valid = (p[i] & 0xc0) == 0x80;
        /* Overlong forms, surrogates and values past U+10FFFF. */
        if (is_valid && ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) ||
                         (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90)))
            is_valid = false;
        if (!is_valid) {
            fputs("\\ufffd", stream);
            p++;
            continue;
        }
        if (*p == '"' || *p == '\\')
            fprintf(stream, "\\%c", *p);
        else if (*p == '\n')
            fputs("\\n", stream);
        else if (*p < 0x20 || *p == 0x7f)
            fprintf(stream, "\\u%04x", *p);
        else
            fwrite(p, 1, (size_t)more + 1, stream);
        p += more + 1;
    }
    fputc('"', stream);
}

static void begin_item(struct intra_json *json, const char *name)
{
    if (json->depth) {
        if (json->has_item[json->depth]) fputc(',', json->stream);
        if (json->is_pretty) fprintf(json->stream, "\n%*s", 2 * json->depth, "");
        json->has_item[json->depth] = true;
    }
    if (name) {
        put_string(json->stream, name);
        fputs(json->is_pretty ? ": " : ":", json->stream);
    }
}

void intra_json_open(struct intra_json *json, const char *name, char bracket)
{
    begin_item(json, name);
    assert(json->depth + 1 < INTRA_JSON_DEPTH);
    fputc(bracket, json->stream);
    json->has_item[++json->depth] = false;
}

void intra_json_close(struct intra_json *json, char bracket)
{
    bool had = json->has_item[json->depth--];
    if (json->is_pretty && had) fprintf(json->stream, "\n%*s", 2 * json->depth, "");
    fputc(bracket, json->stream);
    if (json->depth == 0) fputc('\n', json->stream);
}

void intra_json_text(struct intra_json *json, const char *name, const char *text)
{
    begin_item(json, name);
    if (text)
        put_string(json->stream, text);
    else
        fputs("null", json->stream);
}

void intra_json_number(struct intra_json *json, const char *name, double value)
{
    begin_item(json, name);
    if (isfinite(value))
        fprintf(json->stream, "%.9g", value);
    else
        fputs("null", json->stream);
}

void intra_json_integer(struct intra_json *json, const char *name, int64_t value)
{
    begin_item(json, name);
    fprintf(json->stream, "%" PRId64, value);
}

void intra_json_bool(struct intra_json *json, const char *name, bool value)
{
    begin_item(json, name);
    fputs(value ? "true" : "false", json->stream);
}
