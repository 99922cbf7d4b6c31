/* Formats of other programs through Assimp: our OBJ (or PLY, for STL) is written into a scratch folder beside the
 * output, read and written again there, and what came out is renamed, the model last. Assimp's own GLB and glTF are not
 * used: they lose `extras`. */
#include "core/fileio.h"
#include "export/export.h"

#include <assimp/cexport.h>
#include <assimp/cimport.h>
#include <assimp/scene.h>

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct foreign {
    const char *assimp_id, *ending, *source_ending;
};

static const struct foreign formats[] = {[INTRA_FOREIGN_DAE] = {"collada", ".dae", ".obj"},
                                         [INTRA_FOREIGN_FBX] = {"fbxa", ".fbx", ".obj"},
                                         [INTRA_FOREIGN_STL] = {"stlb", ".stl", ".ply"},
                                         [INTRA_FOREIGN_X3D] = {"x3d", ".x3d", ".obj"}};

struct job {
    const struct foreign *format;
    char folder[1024];                /* of the output */
    char stem[512];                   /* file name without ending */
    char scratch[1100];               /* folder */
    char source[1700], product[1700]; /* in scratch */
};

static enum intra_status name_job(struct job *job, enum intra_foreign_format format, const char *path,
                                  struct intra_error *err)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t n = strlen(name), ending;
    job->format = &formats[format];
    ending = strlen(job->format->ending);
    if (n <= ending || strcasecmp(name + n - ending, job->format->ending) != 0)
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: the name of such a file must end in %s", path, job->format->ending);
    if (strlen(path) >= sizeof job->folder - 16 || n >= sizeof job->stem)
        return INTRA_FAIL(err, INTRA_E_IO, "%.100s...: path is too long", path);
    snprintf(job->folder, sizeof job->folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    if (slash == path) snprintf(job->folder, sizeof job->folder, "/");
    snprintf(job->stem, sizeof job->stem, "%.*s", (int)(n - ending), name);
    snprintf(job->scratch, sizeof job->scratch, "%s.part", path);
    snprintf(job->source, sizeof job->source, "%s/%s%s", job->scratch, job->stem, job->format->source_ending);
    snprintf(job->product, sizeof job->product, "%s/%s%s", job->scratch, job->stem, job->format->ending);
    return INTRA_OK;
}

static enum intra_status convert(const struct job *job, const char *path, struct intra_error *err)
{
    const struct aiScene *model = aiImportFile(job->source, 0);
    enum intra_status status = INTRA_OK;
    if (!model)
        return INTRA_FAIL(err, INTRA_E_UNSUPPORTED, "%s: Assimp does not take the model: %s", path, aiGetErrorString());
    if (aiExportScene(model, job->format->assimp_id, job->product, 0) != aiReturn_SUCCESS)
        status = INTRA_FAIL(err, INTRA_E_IO, "%s: cannot be written: %s; is the disk full?", path, aiGetErrorString());
    aiReleaseImport(model);
    return status;
}

static bool is_texture(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, ".jpg") == 0;
}

static enum intra_status move_file(const char *from, const char *folder, const char *name, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char to[1700];
    INTRA_TRY(intra_path_join(to, sizeof to, folder, name, err));
    if (rename(from, to) != 0) return INTRA_FAIL(err, INTRA_E_IO, "%s: cannot be put in place: %m", to);
done:
    return status;
}

/* Textures first, so that a model which stands has all that it names. */
static enum intra_status publish(const struct job *job, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    DIR *dir = opendir(job->scratch);
    char path[1700], name[600];
    if (!dir) return INTRA_FAIL(err, INTRA_E_IO, "%s: cannot be read back: %m", job->scratch);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!is_texture(entry->d_name)) continue;
        INTRA_TRY(intra_path_join(path, sizeof path, job->scratch, entry->d_name, err));
        INTRA_TRY(move_file(path, job->folder, entry->d_name, err));
    }
    snprintf(name, sizeof name, "%s%s", job->stem, job->format->ending);
    status = move_file(job->product, job->folder, name, err);
done:
    closedir(dir);
    return status;
}

static void remove_scratch(const struct job *job)
{
    DIR *dir = opendir(job->scratch);
    char path[1700];
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.' &&
            intra_path_join(path, sizeof path, job->scratch, entry->d_name, NULL) == INTRA_OK)
            (void)unlink(path);
    closedir(dir);
    (void)rmdir(job->scratch);
}

enum intra_status intra_export_foreign(const struct intra_scene *scene, const struct intra_mesh_options *options,
                                       enum intra_foreign_format format, const char *path, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct job job = {0};
    INTRA_TRY(name_job(&job, format, path, err));
    if (!intra_path_is_dir(job.folder))
        return INTRA_FAIL(err, INTRA_E_IO, "%s: there is no folder %s; make it first", path, job.folder);
    remove_scratch(&job); /* of a run that was killed */
    INTRA_TRY(intra_make_dir(job.scratch, err));
    if (format == INTRA_FOREIGN_STL)
        INTRA_TRY(intra_export_ply(scene, options, job.source, err));
    else
        INTRA_TRY(intra_export_obj(scene, options, job.source, err));
    INTRA_TRY(convert(&job, path, err));
    INTRA_TRY(publish(&job, err));
done:
    if (job.format) remove_scratch(&job);
    return status;
}
