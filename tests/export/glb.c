#include "glb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/fileio.h"
#include "core/mem.h"

#include <string.h>

uint32_t u32_at(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

void open_glb(struct glb *glb, const char *path)
{
    struct intra_error err = {0};
    uint32_t json_size;
    assert_int_equal(intra_read_file(path, 1 << 28, &glb->bytes, &glb->size, &err), INTRA_OK);
    assert_memory_equal(glb->bytes, "glTF", 4);
    assert_int_equal(u32_at(glb->bytes + 4), 2);
    assert_int_equal(u32_at(glb->bytes + 8), glb->size);
    json_size = u32_at(glb->bytes + 12);
    assert_memory_equal(glb->bytes + 16, "JSON", 4);
    assert_int_equal(json_size % 4, 0);
    glb->root = json_loadb(glb->bytes + 20, json_size, 0, NULL);
    assert_non_null(glb->root);
    glb->bin_size = u32_at(glb->bytes + 20 + json_size);
    assert_memory_equal(glb->bytes + 24 + json_size, "BIN", 4);
    glb->bin = (const unsigned char *)glb->bytes + 28 + json_size;
    assert_int_equal(28 + json_size + glb->bin_size, glb->size);
}

void close_glb(struct glb *glb)
{
    json_decref(glb->root);
    intra_free(glb->bytes);
}

json_t *item(const struct glb *glb, const char *array, json_int_t index)
{
    json_t *found = json_array_get(json_object_get(glb->root, array), (size_t)index);
    assert_non_null(found);
    return found;
}

json_int_t whole(const json_t *object, const char *key)
{
    assert_true(json_is_integer(json_object_get(object, key)));
    return json_integer_value(json_object_get(object, key));
}

double number(const json_t *object, const char *key)
{
    assert_true(json_is_number(json_object_get(object, key)));
    return json_number_value(json_object_get(object, key));
}

const unsigned char *view_at(const struct glb *glb, json_int_t view, size_t *out_size)
{
    json_t *object = item(glb, "bufferViews", view);
    size_t offset = (size_t)whole(object, "byteOffset"), size = (size_t)whole(object, "byteLength");
    assert_true(offset + size <= glb->bin_size);
    assert_int_equal(offset % 4, 0);
    if (out_size) *out_size = size;
    return glb->bin + offset;
}

float f32_at(const unsigned char *at)
{
    float value;
    memcpy(&value, at, sizeof value);
    return value;
}
