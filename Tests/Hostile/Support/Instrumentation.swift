import Glibc

enum Instrumentation {
    /// Whether a sanitizer is in this process, and so in the victim, which is built with it: what the victim occupies is
    /// then many times what it uses, it is many times slower, and neither says anything about it.
    static let isOn = dlsym(nil, "__tsan_init") != nil || dlsym(nil, "__asan_init") != nil
}
