/* model.obj with its .mtl and one JPEG per chunk beside it, for tools without glTF. The .obj comes last: where it
 * stands, everything it names stands too.
 *
 * Observations follow the wall: one object each, in the group of its code; materials by code and colour, so that either
 * can be chosen by name.
 *
 * Y-up like the GLB, since OBJ has no axes of its own and importers (Blender, three.js, MeshLab) take Y-up unless told
 * otherwise. */
#include "core/fileio.h"
#include "core/mem.h"
#include "export/marks.h"
#include "export/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct names {
    char stem[1000];       /* path without .obj */
    const char *base_name; /* stem without folders */
};

static enum intra_status split_path(const char *path, struct names *out, struct intra_error *err)
{
    size_t n = strlen(path);
    const char *slash;
    if (n < 5 || strcasecmp(path + n - 4, ".obj") != 0)
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: the name of an OBJ file must end in .obj", path);
    if (n - 4 >= sizeof out->stem) return INTRA_FAIL(err, INTRA_E_IO, "%.100s...: path is too long", path);
    memcpy(out->stem, path, n - 4);
    out->stem[n - 4] = '\0';
    slash = strrchr(out->stem, '/');
    out->base_name = slash ? slash + 1 : out->stem;
    return INTRA_OK;
}

static enum intra_status write_texture(const struct names *names, const struct intra_mesh_plan *plan, int64_t i,
                                       const struct intra_mesh_chunk *chunk, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_out_file file = {0};
    uint8_t *jpeg = NULL;
    size_t size = 0;
    char path[1024];
    snprintf(path, sizeof path, "%s_%03" PRId64 ".jpg", names->stem, i);
    INTRA_TRY(intra_image_encode_jpeg(&chunk->texture, plan->options.jpeg_quality, &jpeg, &size, err));
    INTRA_TRY(intra_out_file_open(&file, path, err));
    fwrite(jpeg, 1, size, file.stream);
    INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_out_file_abandon(&file);
    intra_free(jpeg);
    return status;
}

/* A code as a word of OBJ: no blanks, nothing beyond ASCII. */
static const char *put_word(const char *code, char out[48])
{
    size_t n = 0;
    for (const char *c = code ? code : ""; *c && n < 40; c++)
        out[n++] = isalnum((unsigned char)*c) || strchr("-_.", *c) ? *c : '_';
    out[n] = '\0';
    if (n == 0) strcpy(out, "observation");
    return out;
}

/* Name of the material of a part: code, step of severity, part. */
static void name_material(const struct intra_mark *mark, enum intra_mark_part part, char *out, size_t n)
{
    static const char *const parts[] = {[INTRA_MARK_PATCH] = "_patch", [INTRA_MARK_SOLID] = ""};
    char word[48], step[16] = "ungraded";
    if (part == INTRA_MARK_INK) {
        snprintf(out, n, "number_%s", intra_mark_is_ink_dark(mark->colour) ? "dark" : "light");
        return;
    }
    if (mark->colour != INTRA_MARK_UNGRADED) snprintf(step, sizeof step, "severity_%d", mark->colour);
    snprintf(out, n, "%s_%s%s", put_word(mark->seen->code, word), step, parts[part]);
}

static int by_name(const void *a, const void *b)
{
    const struct intra_mark *x = *(const struct intra_mark *const *)a, *y = *(const struct intra_mark *const *)b;
    char names[2][100];
    name_material(x, INTRA_MARK_SOLID, names[0], sizeof names[0]);
    name_material(y, INTRA_MARK_SOLID, names[1], sizeof names[1]);
    return strcmp(names[0], names[1]);
}

static void put_material(FILE *to, const char *name, const uint8_t rgb[3], double opacity)
{
    char text[64];
    fprintf(to, "\nnewmtl %s\nKa 0 0 0\nKd", name);
    for (int k = 0; k < 3; k++)
        fprintf(to, " %s", intra_text_number(rgb[k] / 255.0, 4, text));
    fprintf(to, "\nKs 0 0 0\nillum 1\nd %s\n", intra_text_number(opacity, 2, text));
}

/* Each material of the observations once. */
static enum intra_status put_mark_materials(FILE *to, const struct intra_mark_list *marks, struct intra_error *err)
{
    static const uint8_t dark[3] = {0x16, 0x20, 0x2c}, light[3] = {255, 255, 255};
    enum intra_status status = INTRA_OK;
    const struct intra_mark **sorted = NULL;
    char name[100];
    if (marks->n == 0) return INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(sorted, (size_t)marks->n, err));
    for (int64_t i = 0; i < marks->n; i++)
        sorted[i] = &marks->marks[i];
    qsort(sorted, (size_t)marks->n, sizeof *sorted, by_name);
    put_material(to, "number_dark", dark, 1);
    put_material(to, "number_light", light, 1);
    for (int64_t i = 0; i < marks->n; i++) {
        if (i > 0 && by_name(&sorted[i - 1], &sorted[i]) == 0) continue;
        for (int part = INTRA_MARK_PATCH; part <= INTRA_MARK_SOLID; part++) {
            name_material(sorted[i], (enum intra_mark_part)part, name, sizeof name);
            put_material(to, name, intra_mark_colours[sorted[i]->colour], part == INTRA_MARK_PATCH ? 0.35 : 1);
        }
    }
done:
    intra_free(sorted);
    return status;
}

static enum intra_status write_materials(const struct names *names, const struct intra_mesh_plan *plan,
                                         const struct intra_mark_list *marks, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_out_file file = {0};
    char path[1024];
    int64_t i;
    snprintf(path, sizeof path, "%s.mtl", names->stem);
    INTRA_TRY(intra_out_file_open(&file, path, err));
    fprintf(file.stream, "# Intrados %s\n", INTRADOS_VERSION);
    for (i = 0; i < plan->n_chunks; i++)
        fprintf(file.stream,
                "\nnewmtl wall_%03" PRId64 "\nKa 0 0 0\nKd 1 1 1\nKs 0 0 0\nillum 1\nmap_Kd %s_%03" PRId64 ".jpg\n", i,
                names->base_name, i);
    INTRA_TRY(put_mark_materials(file.stream, marks, err));
    INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_out_file_abandon(&file);
    return status;
}

static void put_numbers(FILE *stream, const char *keyword, const double *values, int n, int decimals)
{
    char text[64];
    int k;
    fputs(keyword, stream);
    for (k = 0; k < n; k++) {
        fputc(' ', stream);
        fputs(intra_text_number(values[k], decimals, text), stream);
    }
    fputc('\n', stream);
}

static void name_chunk(const struct intra_mesh_chunk_plan *piece, char *out, size_t n)
{
    snprintf(out, n, "o wall_%.2f-%.2f_m\n", piece->station_from_m, piece->station_to_m);
}

/* One object; *first is the number of its first vertex (from 1) and moves on. */
static void put_chunk(FILE *stream, const struct intra_mesh_plan *plan, int64_t i, const struct intra_mesh_chunk *chunk,
                      int64_t *first)
{
    const struct intra_mesh_chunk_plan *piece = &plan->chunks[i];
    int64_t v;
    int k;
    char name[64];
    name_chunk(piece, name, sizeof name);
    fputs(name, stream);
    for (v = 0; v < chunk->n_vertices; v++) {
        double point[3];
        for (k = 0; k < 3; k++)
            point[k] = chunk->origin[k] + (double)chunk->positions[3 * v + k];
        put_numbers(stream, "v", point, 3, 5);
    }
    for (v = 0; v < chunk->n_vertices; v++) {
        /* OBJ counts v from the bottom of the picture. */
        const double uv[2] = {(double)chunk->uvs[2 * v], 1 - (double)chunk->uvs[2 * v + 1]};
        put_numbers(stream, "vt", uv, 2, 6);
    }
    for (v = 0; v < chunk->n_vertices; v++) {
        double normal[3];
        for (k = 0; k < 3; k++)
            normal[k] = (double)chunk->normals[3 * v + k];
        put_numbers(stream, "vn", normal, 3, 4);
    }
    fprintf(stream, "usemtl wall_%03" PRId64 "\n", i);
    for (v = 0; v < chunk->n_indices; v += 3) {
        fputc('f', stream);
        for (k = 0; k < 3; k++) {
            char text[24], *end = intra_text_integer(*first + chunk->indices[v + k], text);
            for (int part = 0; part < 3; part++) { /* corner, texture and normal have the same number */
                putc(part ? '/' : ' ', stream);
                fwrite(text, 1, (size_t)(end - text), stream);
            }
        }
        fputc('\n', stream);
    }
    *first += chunk->n_vertices;
}

/* Positions only: what floats has one colour, and viewers light it by its faces. */
static void put_mark(FILE *stream, const struct intra_mark *mark, const struct intra_mark_body *body, int64_t *first)
{
    char word[48], name[100];
    put_word(mark->seen->code, word);
    fprintf(stream, "o observation_%" PRId64 "_%s_%.2f_m\ng %s\n", mark->number, word,
            intra_place_region(&mark->seen->place)->station_from_m, word);
    for (int part = 0; part < INTRA_MARK_PARTS; part++) {
        const struct intra_mark_triangles *t = &body->parts[part];
        if (t->n_indices == 0) continue;
        for (int64_t v = 0; v < t->n_vertices; v++) {
            double point[3];
            for (int k = 0; k < 3; k++)
                point[k] = body->origin[k] + (double)t->positions[3 * v + k];
            put_numbers(stream, "v", point, 3, 5);
        }
        name_material(mark, (enum intra_mark_part)part, name, sizeof name);
        fprintf(stream, "usemtl %s\n", name);
        for (int64_t v = 0; v < t->n_indices; v += 3) {
            fputc('f', stream);
            for (int k = 0; k < 3; k++)
                fprintf(stream, " %" PRId64, *first + t->indices[v + k]);
            fputc('\n', stream);
        }
        *first += t->n_vertices;
    }
}

/* A later file of the same wall is made with the same ones; they need not be found out again. */
#define DENSITIES "# mesh: step_m %.17g segments %d texel_m %.17g"

static void read_densities(const char *path, struct intra_mesh_options *out)
{
    FILE *from = fopen(path, "r");
    char line[200];
    double step, texel;
    int segments;
    for (int i = 0; from && i < 4 && fgets(line, sizeof line, from); i++)
        if (sscanf(line, "# mesh: step_m %lf segments %d texel_m %lf", &step, &segments, &texel) == 3 && step > 0 &&
            segments >= 3 && texel > 0) {
            out->step_m = step;
            out->segments = segments;
            out->texel_m = texel;
        }
    if (from) fclose(from);
}

/* The part of an earlier file that shows the wall, where it has the plan's chunks and vertices, and their textures
 * stand beside it. intra_alloc memory, *out_size bytes; NULL: not so. */
static char *keep_wall(const struct names *names, const struct intra_mesh_plan *plan, const char *head,
                       const char *path, size_t *out_size)
{
    char *text = NULL, *end, *at, name[1100];
    int64_t chunk = 0, n_vertices = 0, wanted = 0;
    FILE *from = fopen(path, "rb");
    long size = 0;
    if (!from) return NULL;
    if (fseek(from, 0, SEEK_END) == 0 && (size = ftell(from)) > 0 && size < 1l << 28 && fseek(from, 0, SEEK_SET) == 0)
        text = intra_alloc((size_t)size + 1, 1);
    if (!text || fread(text, 1, (size_t)size, from) != (size_t)size || strncmp(text, head, strlen(head)) != 0) goto no;
    end = strstr(text, "\no observation_");
    end = end ? end + 1 : text + size;
    *end = 0;
    for (at = text; at < end; at = strchr(at, '\n') + 1) {
        if (at[0] == 'v' && at[1] == ' ') n_vertices++;
        if (at[0] == 'o') {
            if (chunk == plan->n_chunks) goto no;
            name_chunk(&plan->chunks[chunk++], name, sizeof name);
            if (strncmp(at, name, strlen(name)) != 0) goto no;
        }
        if (!strchr(at, '\n')) goto no;
    }
    for (int64_t i = 0; i < plan->n_chunks; i++) {
        wanted += (int64_t)plan->chunks[i].rings * (plan->segments + 1);
        snprintf(name, sizeof name, "%s_%03" PRId64 ".jpg", names->stem, i);
        if (!intra_path_exists(name)) goto no;
    }
    if (chunk != plan->n_chunks || n_vertices != wanted) goto no;
    fclose(from);
    *out_size = (size_t)(end - text);
    return text;
no:
    fclose(from);
    intra_free(text);
    return NULL;
}

enum intra_status intra_export_obj(const struct intra_scene *scene, const struct intra_mesh_options *options,
                                   const char *path, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_mesh_plan plan = {0};
    struct intra_mesh_chunk chunk = {0};
    struct intra_mark_list marks = {0};
    struct intra_mark_surface surface = {0};
    struct intra_mark_body body = {0};
    struct intra_out_file file = {0};
    struct names names;
    struct intra_mesh_options fixed = *options;
    char head[1300], *kept = NULL;
    size_t kept_size = 0;
    int64_t first = 1, i;
    INTRA_TRY(split_path(path, &names, err));
    INTRA_TRY(intra_mark_list_init(&marks, scene, options, err));
    if (options->kept) read_densities(options->kept, &fixed);
    INTRA_TRY(intra_mesh_plan_init(&plan, scene, &fixed, 1, err));
    snprintf(head, sizeof head,
             "# Intrados %s\n# metres; Y up: pipe world (x, y, z) is (x, z, -y) here\n" DENSITIES "\nmtllib %s.mtl\n",
             INTRADOS_VERSION, plan.step_m, plan.segments, plan.texel_m, names.base_name);
    if (options->kept) kept = keep_wall(&names, &plan, head, options->kept, &kept_size);
    if (options->kept && !kept) { /* something else: as if there were none */
        struct intra_mesh_options none = *options;
        none.kept = NULL;
        status = intra_export_obj(scene, &none, path, err);
        goto done;
    }
    INTRA_TRY(intra_out_file_open(&file, path, err));
    fwrite(kept ? kept : head, 1, kept ? kept_size : strlen(head), file.stream);
    for (i = 0; i < plan.n_chunks && kept; i++)
        first += (int64_t)plan.chunks[i].rings * (plan.segments + 1);
    for (i = 0; i < plan.n_chunks && !kept; i++) {
        INTRA_TRY(intra_mesh_chunk_init(&chunk, &plan, i, err));
        INTRA_TRY(intra_mesh_chunk_paint(&chunk, &plan, i, err));
        intra_mesh_chunk_turn_y_up(&chunk);
        INTRA_TRY(write_texture(&names, &plan, i, &chunk, err));
        put_chunk(file.stream, &plan, i, &chunk, &first);
        intra_mesh_chunk_fini(&chunk);
        if (ferror(file.stream)) break; /* full: the commit says so */
    }
    INTRA_TRY(intra_mark_surface_init(&surface, &marks, &plan, err));
    for (i = 0; i < marks.n && !ferror(file.stream); i++) {
        INTRA_TRY(intra_mark_body_init(&body, &marks, i, &surface, err));
        intra_mark_body_turn_y_up(&body);
        put_mark(file.stream, &marks.marks[i], &body, &first);
        intra_mark_body_fini(&body);
    }
    INTRA_TRY(write_materials(&names, &plan, &marks, err));
    INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_free(kept);
    intra_out_file_abandon(&file);
    intra_mesh_chunk_fini(&chunk);
    intra_mark_body_fini(&body);
    intra_mark_surface_fini(&surface);
    intra_mark_list_fini(&marks);
    intra_mesh_plan_fini(&plan);
    return status;
}
