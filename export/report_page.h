/* The page without data, as the build bundled it from export/report/. */
#ifndef INTRA_EXPORT_REPORT_PAGE_H
#define INTRA_EXPORT_REPORT_PAGE_H

#include <stddef.h>

/* The whole page; NULL and size 0 in a build without it. Data go in where INTRA_REPORT_MARK stands. */
const char *intra_report_page(size_t *out_size);
#define INTRA_REPORT_MARK "<!--INTRADOS-DATA-->"

#endif
