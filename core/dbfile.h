/* Any SQLite file as tables of texts: the databases of other programs, in and out. */
#ifndef INTRA_CORE_DBFILE_H
#define INTRA_CORE_DBFILE_H

#include "core/sheet.h"

struct intra_dbfile;

/* Read only. Errors: INTRA_E_IO, INTRA_E_FORMAT (no SQLite file, damaged), INTRA_E_MEM. */
enum intra_status intra_dbfile_open(const char *path, struct intra_dbfile **out, struct intra_error *err);
void intra_dbfile_close(struct intra_dbfile **file); /* NULL is fine */
bool intra_dbfile_has_table(struct intra_dbfile *file, const char *table);
/* All rows of a table, in their order in the file; numbers as SQLite writes them out, blobs left out. */
enum intra_status intra_dbfile_read(struct intra_dbfile *file, const char *table, struct intra_sheet *out,
                                    struct intra_error *err);
/* A new file with these tables; cells that are plain numbers go in as numbers. Written beside and renamed. */
enum intra_status intra_dbfile_write(const char *path, const struct intra_sheet *sheets, const char *const *names,
                                     int n, struct intra_error *err);

#endif
