#include "tools/counter_file.h"

#include "core/mem.h"
#include "tools/table.h"

#include <math.h>
#include <string.h>

static enum intra_status read_rows(const char *path, const struct intra_table *table, struct intra_counter_file *out,
                                   struct intra_error *err)
{
    int value = intra_table_find(table, "counter_m"), index = intra_table_find(table, "index");
    int time = intra_table_find(table, "time_s");
    int key;
    if (value < 0 || (index < 0 && time < 0))
        return INTRA_FAIL(err, INTRA_E_FORMAT,
                          "%s: want the columns counter_m and index or time_s in the first line, e.g. time_s,counter_m", path);
    key = index >= 0 ? index : time;
    out->is_by_time = index < 0;
    for (int64_t i = 0; i < table->n_rows; i++) {
        double k = intra_table_number(table, i, key), v = intra_table_number(table, i, value);
        if (intra_table_text(table, i, value)[0] == 0) continue;
        if (isnan(k) || isnan(v) || fabs(v) > 1e6)
            return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: row %lld: '%s' and '%s' should be a %s and metres", path,
                              (long long)i + 2, intra_table_text(table, i, key), intra_table_text(table, i, value),
                              out->is_by_time ? "time in seconds" : "frame index");
        if (out->n && k <= out->keys[out->n - 1])
            return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: row %lld: %s %g does not come after %g; sort the rows", path,
                              (long long)i + 2, out->is_by_time ? "time_s" : "index", k, out->keys[out->n - 1]);
        out->keys[out->n] = k;
        out->counter_m[out->n++] = v;
    }
    if (out->n == 0) return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: no row has a counter_m", path);
    return INTRA_OK;
}

enum intra_status intra_counter_file_read(const char *path, struct intra_counter_file *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_table table = {0};
    memset(out, 0, sizeof *out);
    INTRA_TRY(intra_table_read(path, &table, err));
    INTRA_TRY(INTRA_ALLOC(out->keys, (size_t)table.n_rows + 1, err));
    INTRA_TRY(INTRA_ALLOC(out->counter_m, (size_t)table.n_rows + 1, err));
    INTRA_TRY(read_rows(path, &table, out, err));
done:
    intra_table_fini(&table);
    if (status != INTRA_OK) intra_counter_file_fini(out);
    return status;
}

void intra_counter_file_fini(struct intra_counter_file *file)
{
    intra_free(file->keys);
    intra_free(file->counter_m);
    memset(file, 0, sizeof *file);
}

int64_t intra_counter_file_fill(const struct intra_counter_file *file, struct intra_frame_record *frames, int64_t n)
{
    int64_t k = 0, filled = 0;
    double half = n > 1 ? 0.5 * (frames[n - 1].pts_s - frames[0].pts_s) / (double)(n - 1) + 1e-6 : 0.5;
    for (int64_t i = 0; i < n; i++) {
        double at = file->is_by_time ? frames[i].pts_s : (double)frames[i].index, slack = file->is_by_time ? half : 0;
        while (k < file->n && file->keys[k] < at - slack)
            k++;
        if (k == file->n) break;
        if (fabs(file->keys[k] - at) > slack) continue;
        frames[i].counter_m = file->counter_m[k++];
        filled++;
    }
    return filled;
}
