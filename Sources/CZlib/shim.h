#include <zlib.h>

// zlib's initialisers are macros, which Swift doesn't see. 16 added to the window bits asks for gzip's header and trailer.
static inline int gzip_inflate_init(z_stream *stream) { return inflateInit2(stream, 16 + MAX_WBITS); }

static inline int gzip_deflate_init(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
}
