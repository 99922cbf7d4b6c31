/* Tables of any SQLite file. Names of tables and columns are quoted, values are bound: nothing in a file is run. */
#include "core/dbfile.h"

#include "core/fileio.h"
#include "core/mem.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_COLUMNS = 1000, MAX_ROWS = 20000000 };

struct intra_dbfile {
    sqlite3 *db;
    char path[1024];
};

static enum intra_status fail(sqlite3 *db, const char *path, struct intra_error *err)
{
    int code = db ? sqlite3_errcode(db) & 0xff : SQLITE_NOMEM;
    enum intra_status status = code == SQLITE_NOMEM ? INTRA_E_MEM
                               : code == SQLITE_IOERR || code == SQLITE_FULL || code == SQLITE_CANTOPEN
                                   ? INTRA_E_IO
                                   : INTRA_E_FORMAT;
    return INTRA_FAIL(err, status, "%s: %s", path, db ? sqlite3_errmsg(db) : "out of memory");
}

enum intra_status intra_dbfile_open(const char *path, struct intra_dbfile **out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_dbfile *file = NULL;
    *out = NULL;
    INTRA_TRY(INTRA_ALLOC(file, 1, err));
    snprintf(file->path, sizeof file->path, "%s", path);
    if (sqlite3_open_v2(path, &file->db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_exec(file->db,
                     "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; SELECT count(*) FROM sqlite_master", NULL,
                     NULL, NULL) != SQLITE_OK) {
        status = fail(file->db, path, err);
        goto done;
    }
    *out = file;
    file = NULL;
done:
    intra_dbfile_close(&file);
    return status;
}

void intra_dbfile_close(struct intra_dbfile **file)
{
    if (!*file) return;
    sqlite3_close(((*file)->db));
    intra_free(*file);
    *file = NULL;
}

bool intra_dbfile_has_table(struct intra_dbfile *file, const char *table)
{
    sqlite3_stmt *stmt = NULL;
    bool has = false;
    if (sqlite3_prepare_v2(file->db, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE", -1,
                           &stmt, NULL) == SQLITE_OK) {
        sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC);
        has = sqlite3_step(stmt) == SQLITE_ROW;
    }
    sqlite3_finalize(stmt);
    return has;
}

enum intra_status intra_dbfile_read(struct intra_dbfile *file, const char *table, struct intra_sheet *out,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *stmt = NULL;
    char *sql = sqlite3_mprintf("SELECT * FROM \"%w\"", table);
    int code = SQLITE_NOMEM, n_cols;
    *out = (struct intra_sheet){0};
    if (!sql || sqlite3_prepare_v2(file->db, sql, -1, &stmt, NULL) != SQLITE_OK) {
        status = fail(file->db, file->path, err);
        goto done;
    }
    n_cols = sqlite3_column_count(stmt);
    for (int i = 0; i < n_cols && i < MAX_COLUMNS; i++)
        INTRA_TRY(intra_sheet_add_column(out, sqlite3_column_name(stmt, i), err));
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW && out->n_rows < MAX_ROWS) {
        INTRA_TRY(intra_sheet_add_row(out, err));
        for (int i = 0; i < out->n_cols; i++) {
            int type = sqlite3_column_type(stmt, i);
            if (type != SQLITE_NULL && type != SQLITE_BLOB)
                INTRA_TRY(intra_sheet_set(out, out->n_rows - 1, i, (const char *)sqlite3_column_text(stmt, i), err));
        }
    }
    if (code != SQLITE_DONE) status = fail(file->db, file->path, err);
done:
    sqlite3_finalize(stmt);
    sqlite3_free(sql);
    if (status != INTRA_OK) intra_sheet_fini(out);
    return status;
}

static enum intra_status write_sheet(sqlite3 *db, const char *path, const struct intra_sheet *sheet, const char *name,
                                     struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *stmt = NULL;
    sqlite3_str *create = sqlite3_str_new(db), *insert = sqlite3_str_new(db);
    char *sql[2] = {NULL, NULL};
    sqlite3_str_appendf(create, "CREATE TABLE \"%w\" (", name);
    sqlite3_str_appendf(insert, "INSERT INTO \"%w\" VALUES (", name);
    for (int i = 0; i < sheet->n_cols; i++) {
        sqlite3_str_appendf(create, "%s\"%w\"", i ? ", " : "", sheet->names[i]);
        sqlite3_str_appendf(insert, i ? ",?" : "?");
    }
    sqlite3_str_appendf(create, ")");
    sqlite3_str_appendf(insert, ")");
    sql[0] = sqlite3_str_finish(create);
    sql[1] = sqlite3_str_finish(insert);
    if (!sql[0] || !sql[1] || sqlite3_exec(db, sql[0], NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, sql[1], -1, &stmt, NULL) != SQLITE_OK) {
        status = fail(db, path, err);
        goto done;
    }
    for (int64_t r = 0; r < sheet->n_rows; r++) {
        for (int i = 0; i < sheet->n_cols; i++) {
            const char *text = intra_sheet_at(sheet, r, i);
            size_t n = text ? strlen(text) : 0;
            bool is_integer = n > 0 && n < 10 && strspn(text, "0123456789") == n && (n == 1 || text[0] != '0');
            if (is_integer)
                sqlite3_bind_int64(stmt, i + 1, strtoll(text, NULL, 10));
            else if (text)
                sqlite3_bind_text(stmt, i + 1, text, -1, SQLITE_TRANSIENT);
            else
                sqlite3_bind_null(stmt, i + 1);
        }
        if (sqlite3_step(stmt) != SQLITE_DONE) {
            status = fail(db, path, err);
            goto done;
        }
        sqlite3_reset(stmt);
    }
done:
    sqlite3_finalize(stmt);
    sqlite3_free(sql[0]);
    sqlite3_free(sql[1]);
    return status;
}

enum intra_status intra_dbfile_write(const char *path, const struct intra_sheet *sheets, const char *const *names,
                                     int n, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char part[1100];
    sqlite3 *db = NULL;
    intra_part_name(path, part, sizeof part);
    unlink(part);
    if (sqlite3_open(part, &db) != SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN", NULL, NULL, NULL) != SQLITE_OK) {
        status = fail(db, path, err);
        goto done;
    }
    for (int i = 0; i < n; i++)
        INTRA_TRY(write_sheet(db, path, &sheets[i], names[i], err));
    if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) status = fail(db, path, err);
done:
    sqlite3_close(db);
    if (status == INTRA_OK) status = intra_part_commit(path, err);
    if (status != INTRA_OK) unlink(part);
    return status;
}
