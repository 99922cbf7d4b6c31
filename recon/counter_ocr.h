/* Tesseract (LSTM, "eng") on one line of text. The only file that knows it. A handle belongs to one thread; several
 * handles may work at once. Nothing is learnt from one line to the next, and no threads are started, so that the same
 * picture gives the same letters whatever came before it. R. Smith, An overview of the Tesseract OCR engine, 2007. */
#ifndef INTRA_RECON_COUNTER_OCR_H
#define INTRA_RECON_COUNTER_OCR_H

#include "core/image.h"

enum { INTRA_OCR_MAX_BYTES = 160 };

struct intra_ocr;
struct intra_ocr_line {
    char text[INTRA_OCR_MAX_BYTES];        /* UTF-8 */
    float confidence[INTRA_OCR_MAX_BYTES]; /* of the letter that a byte belongs to, 0 to 1; of a space 1 */
};

/* Errors: INTRA_E_UNSUPPORTED when the language data are not on this machine (it says which package has them). */
enum intra_status intra_ocr_open(struct intra_ocr **out, struct intra_error *err);
void intra_ocr_close(struct intra_ocr **ocr);
/* grey: one line, dark letters on light, about 30 to 40 pixels high, with a margin. letters: all that may be read, NULL for
 * any. An empty text is no error. Errors: INTRA_E_MEM. */
enum intra_status intra_ocr_read(struct intra_ocr *ocr, const struct intra_view_u8 *grey, const char *letters,
                                 struct intra_ocr_line *out, struct intra_error *err);
/* What was read so far, in columns of lines scaled to the 36 rows that Tesseract works on: its time goes with that, about
 * 40 us each. A measure of cost that is the same on every machine and in every run. */
int64_t intra_ocr_columns(const struct intra_ocr *ocr);

#endif
