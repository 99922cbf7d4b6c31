/* Access databases for tests (Jet 4), as small as libmdb reads them: no indices, no relations, no queries. Written here
 * from the published description of the format, since no program in Debian writes one. Access itself would not open it.
 */
#ifndef INTRA_TESTS_MADE_MDB_H
#define INTRA_TESTS_MADE_MDB_H

#include <stddef.h>

enum made_mdb_type {
    MADE_BOOL = 1,
    MADE_INT = 3,
    MADE_LONG = 4,
    MADE_SINGLE = 6,
    MADE_DOUBLE = 7,
    MADE_DATE = 8,
    MADE_TEXT = 10,
    MADE_MEMO = 12
};
struct made_mdb_column {
    const char *name;
    enum made_mdb_type type;
};
struct made_mdb_table {
    const char *name;
    const struct made_mdb_column *columns; /* up to 60 */
    int n_columns;
    const char *const *cells; /* rows x columns; NULL: empty; dates as days since 1899-12-30 */
    int n_rows;
};
/* At most 7 tables and 16 MB. `is_2007`: an .accdb by its head. */
void made_mdb_write(const char *path, const struct made_mdb_table *tables, int n, int is_2007);
/* The imaginary pipe of the tests, in version 7 or 6 of PACP. */
void made_mdb_pipe(const char *path, int version);

#endif
