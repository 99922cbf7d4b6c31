/* A GLB read back by tests: cmocka assertions on structure, then plain access. */
#ifndef INTRA_TESTS_EXPORT_GLB_H
#define INTRA_TESTS_EXPORT_GLB_H

#include "core/geom.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct glb {
    char *bytes;
    size_t size;
    json_t *root;
    const unsigned char *bin;
    size_t bin_size;
};

uint32_t u32_at(const char *at);
/* Read back; structure and lengths are asserted. close_glb frees. */
void open_glb(struct glb *glb, const char *path);
void close_glb(struct glb *glb);
/* root[array][index], which must be there. */
json_t *item(const struct glb *glb, const char *array, json_int_t index);
/* Members that must be there, and of that kind. */
json_int_t whole(const json_t *object, const char *key);
double number(const json_t *object, const char *key);
/* The bytes of a buffer view; out_size may be NULL. */
const unsigned char *view_at(const struct glb *glb, json_int_t view, size_t *out_size);
float f32_at(const unsigned char *at);

#endif
