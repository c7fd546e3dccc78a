// Preloaded into h2load: connect() waits while the backlog of a Unix socket is full, as for a client that blocks.
// h2load's own sockets don't block, and of a thousand connections opened at once it would count some as failed.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>
#include <time.h>

int connect(int descriptor, const struct sockaddr* address, socklen_t length) {
  int (*next)(int, const struct sockaddr*, socklen_t) = dlsym(RTLD_NEXT, "connect");
  const struct timespec pause = {.tv_nsec = 1000000};
  for (int attempts = 0; attempts < 10000; ++attempts) {
    if (next(descriptor, address, length) == 0) return 0;
    if (errno != EAGAIN || address->sa_family != AF_UNIX) return -1;
    nanosleep(&pause, NULL);
  }
  errno = EAGAIN;
  return -1;
}
