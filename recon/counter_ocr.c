#include "recon/counter_ocr.h"

#include "core/mem.h"

#include <string.h>
#include <tesseract/capi.h>
#ifdef _OPENMP
#include <omp.h>
#endif

enum { NET_ROWS = 36 };

struct intra_ocr {
    TessBaseAPI *api;
    int64_t columns;
};

enum intra_status intra_ocr_open(struct intra_ocr **out, struct intra_error *err)
{
    /* No dictionaries: a counter is no word, and they pull digits towards words. */
    static char *names[] = {"load_system_dawg", "load_freq_dawg", "tessedit_enable_doc_dict"};
    static char *values[] = {"0", "0", "0"};
    enum intra_status status = INTRA_ALLOC(*out, 1, err);
    if (status != INTRA_OK) return status;
    (*out)->api = TessBaseAPICreate();
    if (!(*out)->api) {
        intra_ocr_close(out);
        return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for reading text");
    }
    TessBaseAPISetVariable((*out)->api, "debug_file", "/dev/null"); /* libraries do not print */
    if (TessBaseAPIInit4((*out)->api, NULL, "eng", OEM_LSTM_ONLY, NULL, 0, names, values, 3, 0) != 0) {
        intra_ocr_close(out);
        return INTRA_FAIL(err, INTRA_E_UNSUPPORTED,
                          "no data for reading burnt-in text: install the package tesseract-ocr-eng, or set "
                          "TESSDATA_PREFIX to the folder with eng.traineddata");
    }
    TessBaseAPISetPageSegMode((*out)->api, PSM_RAW_LINE);
    return INTRA_OK;
}

void intra_ocr_close(struct intra_ocr **ocr)
{
    if (!*ocr) return;
    if ((*ocr)->api) TessBaseAPIDelete((*ocr)->api);
    intra_free(*ocr);
    *ocr = NULL;
}

/* Tesseract starts teams of four threads for a line of text, which costs more than it gives and takes cores from others.
 * A limit of no active level keeps its regions in this thread; OMP_THREAD_LIMIT would act on the whole program. */
static int recognise_alone(TessBaseAPI *api)
{
    int result;
#ifdef _OPENMP
    int levels = omp_get_max_active_levels();
    omp_set_max_active_levels(0);
#endif
    result = TessBaseAPIRecognize(api, NULL);
#ifdef _OPENMP
    omp_set_max_active_levels(levels);
#endif
    return result;
}

static void put_letters(struct intra_ocr_line *out, size_t *used, const char *text, float confidence)
{
    size_t n = strlen(text);
    if (*used + n >= sizeof out->text) return;
    memcpy(out->text + *used, text, n);
    for (size_t i = 0; i < n; i++)
        out->confidence[*used + i] = confidence;
    *used += n;
}

int64_t intra_ocr_columns(const struct intra_ocr *ocr)
{
    return ocr->columns;
}

enum intra_status intra_ocr_read(struct intra_ocr *ocr, const struct intra_view_u8 *grey, const char *letters,
                                 struct intra_ocr_line *out, struct intra_error *err)
{
    TessResultIterator *it;
    size_t used = 0;
    memset(out, 0, sizeof *out);
    ocr->columns += (int64_t)NET_ROWS * grey->cols / grey->rows;
    TessBaseAPISetVariable(ocr->api, "tessedit_char_whitelist", letters ? letters : "");
    TessBaseAPISetImage(ocr->api, grey->data, grey->cols, grey->rows, 1, (int)grey->stride);
    TessBaseAPISetSourceResolution(ocr->api, 150);
    if (recognise_alone(ocr->api) != 0) return INTRA_FAIL(err, INTRA_E_MEM, "reading burnt-in text failed");
    it = TessBaseAPIGetIterator(ocr->api);
    while (it) {
        char *text = TessResultIteratorGetUTF8Text(it, RIL_SYMBOL);
        if (used && TessPageIteratorIsAtBeginningOf(TessResultIteratorGetPageIterator(it), RIL_WORD))
            put_letters(out, &used, " ", 1);
        if (text) put_letters(out, &used, text, TessResultIteratorConfidence(it, RIL_SYMBOL) / 100);
        TessDeleteText(text);
        if (!TessResultIteratorNext(it, RIL_SYMBOL)) break;
    }
    if (it) TessResultIteratorDelete(it);
    TessBaseAPIClear(ocr->api);
    return INTRA_OK;
}
