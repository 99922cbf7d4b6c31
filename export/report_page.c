/* The bundled page in the read-only data of the program: the assembler takes the file in as it is, which takes no time
 * and no memory, other than a C array of a megabyte. */
#include "export/report_page.h"

#ifdef INTRADOS_REPORT_PAGE
__asm__(".pushsection .rodata\n"
        ".global intra_report_page_begin\n"
        ".global intra_report_page_end\n"
        "intra_report_page_begin:\n"
        ".incbin \"" INTRADOS_REPORT_PAGE "\"\n"
        "intra_report_page_end:\n"
        ".byte 0\n"
        ".popsection\n");
extern const char intra_report_page_begin[], intra_report_page_end[];

const char *intra_report_page(size_t *out_size)
{
    *out_size = (size_t)(intra_report_page_end - intra_report_page_begin);
    return intra_report_page_begin;
}
#else
const char *intra_report_page(size_t *out_size)
{
    *out_size = 0;
    return NULL;
}
#endif
