/* JSON out, in order, straight to a stream: for results, summaries and log lines. Numbers that are not finite become
 * null; bytes that are no UTF-8 become U+FFFD. */
#ifndef INTRA_TOOLS_JSON_H
#define INTRA_TOOLS_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { INTRA_JSON_DEPTH = 16 };

struct intra_json {
    FILE *stream;
    bool is_pretty; /* line breaks and indents */
    int depth;
    bool has_item[INTRA_JSON_DEPTH];
};

/* name: the key inside an object, NULL inside an array and at the top. */
void intra_json_open(struct intra_json *json, const char *name, char bracket); /* '{' or '[' */
void intra_json_close(struct intra_json *json, char bracket);                  /* '}' or ']'; a line break at the top */
void intra_json_text(struct intra_json *json, const char *name, const char *text); /* NULL text: null */
void intra_json_number(struct intra_json *json, const char *name, double value);   /* up to 9 digits */
void intra_json_integer(struct intra_json *json, const char *name, int64_t value);
void intra_json_bool(struct intra_json *json, const char *name, bool value);

#endif
