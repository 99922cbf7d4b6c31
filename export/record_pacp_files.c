/* What holds PACP tables: one CSV a table in a folder, or a SQLite file. */
#include "core/dbfile.h"
#include "core/fileio.h"
#include "core/mem.h"
#include "export/record_pacp.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* ---- CSV */

/* "PACP_Media_Conditions.csv", "conditions.csv", "export_pacp_inspections.csv" */
static int table_of(const char *file)
{
    static const char *const ends[INTRA_PACP_N_TABLES] = {"inspections.csv", "conditions.csv", "media_inspections.csv",
                                                          "media_conditions.csv"};
    size_t n = strlen(file);
    for (int i = INTRA_PACP_N_TABLES - 1; i >= 0; i--) {
        size_t m = strlen(ends[i]);
        if (n >= m && strcasecmp(file + n - m, ends[i]) == 0) return i;
    }
    return -1;
}

enum intra_status intra_record_read_pacp_csv(const char *path, struct intra_record *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_pacp pacp = {0};
    bool has[INTRA_PACP_N_TABLES] = {false};
    char folder[1024];
    DIR *list = NULL;
    const struct dirent *entry;
    snprintf(folder, sizeof folder, "%s", path);
    if (!intra_path_is_dir(path)) {
        char *slash = strrchr(folder, '/');
        snprintf(slash ? slash : folder, 2, "%s", slash && slash > folder ? "" : slash ? "/" : ".");
    }
    list = opendir(folder);
    if (!list) {
        status = INTRA_FAIL(err, INTRA_E_IO, "%s: the folder cannot be read", folder);
        goto done;
    }
    while ((entry = readdir(list)) != NULL) {
        int at = table_of(entry->d_name);
        char name[1400], *text;
        size_t size;
        if (at < 0 || entry->d_name[0] == '.') continue;
        if (has[at]) {
            status =
                INTRA_FAIL(err, INTRA_E_FORMAT, "%s: two files hold the table %s; leave one in a folder of its own",
                           folder, intra_pacp_table_names[at]);
            goto done;
        }
        has[at] = true;
        snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
        INTRA_TRY(intra_record_text(name, NULL, &text, &size, err));
        status = intra_sheet_parse_csv(text, &pacp.tables[at], err);
        if (status != INTRA_OK) {
            intra_error_context(err, "%s", name);
            goto done;
        }
    }
    if (!has[0] || !has[1]) {
        status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s: %s.csv is missing; PACP as CSV is a folder with one file a table",
                            folder, intra_pacp_table_names[has[0] ? 1 : 0]);
        goto done;
    }
    INTRA_TRY(intra_pacp_to_record(&pacp, out, err));
done:
    if (list) closedir(list);
    intra_pacp_fini(&pacp);
    return status;
}

static void write_cell(FILE *to, const char *text)
{
    bool is_quoted = text[strcspn(text, ",;\t\"\r\n")] != 0;
    if (is_quoted) fputc('"', to);
    for (; *text; text++) {
        if (*text == '"') fputc('"', to);
        fputc(*text, to);
    }
    if (is_quoted) fputc('"', to);
}

enum intra_status intra_record_write_pacp_csv(const struct intra_record *record, const char *path,
                                              struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_pacp pacp = {0};
    struct intra_out_file file = {0};
    INTRA_TRY(intra_make_dir(path, err));
    INTRA_TRY(intra_pacp_from_record(record, &pacp, err));
    for (int i = 0; i < INTRA_PACP_N_TABLES; i++) {
        const struct intra_sheet *t = &pacp.tables[i];
        char name[1400];
        snprintf(name, sizeof name, "%s/%s.csv", path, intra_pacp_table_names[i]);
        INTRA_TRY(intra_out_file_open(&file, name, err));
        for (int64_t r = -1; r < t->n_rows; r++)
            for (int c = 0; c < t->n_cols; c++) {
                const char *text = r < 0 ? t->names[c] : intra_sheet_at(t, r, c);
                write_cell(file.stream, text ? text : "");
                fputs(c + 1 < t->n_cols ? "," : "\r\n", file.stream);
            }
        INTRA_TRY(intra_out_file_commit(&file, err));
    }
done:
    intra_out_file_abandon(&file);
    intra_pacp_fini(&pacp);
    return status;
}

/* ---- SQLite */

enum intra_status intra_record_read_pacp_sqlite(const char *path, struct intra_record *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_pacp pacp = {0};
    struct intra_dbfile *file = NULL;
    INTRA_TRY(intra_dbfile_open(path, &file, err));
    for (int i = 0; i < INTRA_PACP_N_TABLES; i++) {
        const char *name = intra_pacp_table_names[i];
        if (!intra_dbfile_has_table(file, name)) name += strlen("PACP_"); /* version 6 */
        if (intra_dbfile_has_table(file, name))
            INTRA_TRY(intra_dbfile_read(file, name, &pacp.tables[i], err));
        else if (i <= INTRA_PACP_CONDITIONS) {
            status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s: the table %s is not in this database", path,
                                intra_pacp_table_names[i]);
            goto done;
        }
    }
    INTRA_TRY(intra_pacp_to_record(&pacp, out, err));
done:
    intra_dbfile_close(&file);
    intra_pacp_fini(&pacp);
    return status;
}

enum intra_status intra_record_write_pacp_sqlite(const struct intra_record *record, const char *path,
                                                 struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_pacp pacp = {0};
    INTRA_TRY(intra_pacp_from_record(record, &pacp, err));
    INTRA_TRY(intra_dbfile_write(path, pacp.tables, intra_pacp_table_names, INTRA_PACP_N_TABLES, err));
done:
    intra_pacp_fini(&pacp);
    return status;
}
