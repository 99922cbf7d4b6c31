/* Grades of observations from a table of codes, and the ratings of a pipe from them: NASSCO PACP. The table can be
 * replaced: grades change with the edition of the code book, and what is here is only what is certain. */
#ifndef INTRA_EXPORT_GRADES_H
#define INTRA_EXPORT_GRADES_H

#include "core/inspection.h"

/* Add a computed grade (INTRA_SCALE_PACP) to each observation coded in PACP whose code the table has; imported grades
 * stay beside, earlier computed ones of this scale go. table_path: tab-separated `code structural om`, a grade 1 to 5
 * or empty, # begins a comment; NULL: the program's own. Errors: INTRA_E_IO, INTRA_E_FORMAT naming the line,
 * INTRA_E_MEM; observations are then unchanged. */
enum intra_status intra_grades_apply(struct intra_inspection *inspection, const char *table_path,
                                     struct intra_error *err);

/* PACP pipe ratings from the computed grades. */
struct intra_rating {
    double rating; /* sum of grades */
    double index;  /* rating over the number of graded observations; NaN: none */
    char quick[5]; /* highest grade, how often, the next one, how often: "5142"; "0000": none */
};
struct intra_ratings {
    struct intra_rating structural, om, overall;
    int n_unknown;    /* defects coded in PACP whose grade the table does not have: the ratings lack them */
    int n_continuous; /* graded ones longer than 1 m: how often they count is for the code book, here once */
};
struct intra_ratings intra_grades_rate(const struct intra_inspection *inspection);

#endif
