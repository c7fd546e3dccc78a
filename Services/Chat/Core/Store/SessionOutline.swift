/// A session but for its texts, as a store holds it in memory while the session is in use: what decides whether something
/// may be stored, and where to find what is asked for. Nothing is indexed in the file; this is rebuilt from one scan.
///
/// Free of I/O. About a hundred bytes a question.
package struct SessionOutline: Sendable {
    /// A question but for its texts.
    package struct Question: Sendable, Hashable {
        package fileprivate(set) var state: QuestionState
        package fileprivate(set) var wasPublished: Bool
        /// Counts its changes, from 1.
        package fileprivate(set) var version: UInt32
        /// The sequence of its last change.
        package fileprivate(set) var lastSequence: UInt32
        fileprivate let author: UInt32
    }

    package private(set) var session: StoredSession
    /// By number, from 1.
    private var questions: [Question] = []
    /// By sequence, from 1: the number of the question that changed; 0 if the session itself did.
    private var changes: [UInt32] = []
    private var numbers: [UInt128: UInt32] = [:]
    /// What participants' requests led to: the question's number.
    private var askRequests: [UInt128: UInt32] = [:]
    /// What administrators' requests led to: the number of the question that was answered.
    private var answerRequests: [UInt128: UInt32] = [:]
    /// The answers of a question that has any, by their numbers in the session.
    private var answers: [UInt32: [UInt32]] = [:]
    private var answerCount: UInt32 = 0
    private var authors: [UInt128: UInt32] = [:]
    /// Questions by each author, in the order asked.
    private var numbersByAuthor: [[UInt32]] = []

    /// A session with no events yet.
    package init(session: StoredSession) {
        self.session = session
    }

    package var counts: ContentCounts {
        ContentCounts(questions: questions.count, answers: Int(answerCount), events: changes.count)
    }

    /// Of the last event.
    package var sequence: Int64 { Int64(changes.count) }
    /// Of the last question.
    package var number: Int64 { Int64(questions.count) }

    package func question(_ number: Int64) -> Question? {
        guard number >= 1, number <= Int64(questions.count) else { return nil }
        return questions[Int(number) - 1]
    }

    /// Of a question by its id. Another id may share the key: whoever reads the question compares it.
    package func number(of id: String) -> Int64? { numbers[SessionOutline.key(id)].map(Int64.init) }

    package func number(askedBy request: [UInt8]) -> Int64? { askRequests[SessionOutline.key(request)].map(Int64.init) }

    package func number(answeredBy request: [UInt8]) -> Int64? {
        answerRequests[SessionOutline.key(request)].map(Int64.init)
    }

    /// The numbers of a question's answers, in the order given.
    package func answers(to number: Int64) -> [Int64] { (answers[UInt32(number)] ?? []).map(Int64.init) }

    package func questionCount(by author: [UInt8]) -> Int {
        authors[SessionOutline.key(author)].map { numbersByAuthor[Int($0)].count } ?? 0
    }

    private func numbers(by author: [UInt8]) -> [UInt32] {
        authors[SessionOutline.key(author)].map { numbersByAuthor[Int($0)] } ?? []
    }
}

// What is stored, in the order it is stored.
extension SessionOutline {
    /// - Parameter session: As it is after the event.
    package mutating func noteSessionChange(_ session: StoredSession) {
        changes.append(0)
        self.session = session
    }

    /// What is stored of the session itself is other than before, with no event.
    package mutating func noteSession(_ session: StoredSession) { self.session = session }

    package mutating func noteQuestion(id: String, author: [UInt8], request: [UInt8]) {
        let number = UInt32(questions.count + 1)
        changes.append(number)
        let authorKey = SessionOutline.key(author)
        let index = authors[authorKey] ?? UInt32(numbersByAuthor.count)
        if index == numbersByAuthor.count {
            authors[authorKey] = index
            numbersByAuthor.append([])
        }
        numbersByAuthor[Int(index)].append(number)
        questions.append(
            Question(
                state: .pending, wasPublished: false, version: 1, lastSequence: UInt32(changes.count), author: index))
        numbers[SessionOutline.key(id)] = number
        askRequests[SessionOutline.key(request)] = number
    }

    package mutating func noteChange(of number: Int64, to state: QuestionState) {
        changes.append(UInt32(number))
        questions[Int(number) - 1].state = state
        if state == .published { questions[Int(number) - 1].wasPublished = true }
        questions[Int(number) - 1].version += 1
        questions[Int(number) - 1].lastSequence = UInt32(changes.count)
    }

    /// - Parameter number: Of the question. That it changed is noted apart.
    package mutating func noteAnswer(to number: Int64, request: [UInt8]) {
        answerCount += 1
        answers[UInt32(number), default: []].append(answerCount)
        answerRequests[SessionOutline.key(request)] = UInt32(number)
    }
}

// What was noted and then not stored, in the reverse order.
extension SessionOutline {
    /// - Parameter session: As it was before.
    package mutating func takeBackSessionChange(_ session: StoredSession) {
        changes.removeLast()
        self.session = session
    }

    package mutating func takeBackQuestion(id: String, request: [UInt8]) {
        changes.removeLast()
        let question = questions.removeLast()
        numbersByAuthor[Int(question.author)].removeLast()
        numbers[SessionOutline.key(id)] = nil
        askRequests[SessionOutline.key(request)] = nil
    }

    /// - Parameter question: As it was before.
    package mutating func takeBackChange(of number: Int64, _ question: Question) {
        changes.removeLast()
        questions[Int(number) - 1] = question
    }

    package mutating func takeBackAnswer(to number: Int64, request: [UInt8]) {
        answerCount -= 1
        answers[UInt32(number)]?.removeLast()
        answerRequests[SessionOutline.key(request)] = nil
    }
}

// What is asked for, by number.
extension SessionOutline {
    /// Questions that were deleted after a sequence.
    package func deleted(after sequence: Int64) -> [Int64] {
        numbers(after: 0, limit: .max) { $0.state == .deleted && $0.lastSequence > sequence }
    }

    /// Numbers of questions in the order asked.
    /// - Parameter limit: At most so many.
    package func numbers(_ selection: QuestionSelection, after number: Int64, limit: Int) -> [Int64] {
        switch selection {
        case .seenBy(.moderator):
            return numbers(after: number, limit: limit) { $0.state != .deleted }
        case .seenBy(.anyone):
            return numbers(after: number, limit: limit) { $0.state == .published }
        case .seenBy(.author(let author)):
            let index = authors[SessionOutline.key(author)]
            return numbers(after: number, limit: limit) { question in
                question.state == .published || (question.author == index && question.state != .deleted)
            }
        case .askedBy(let author):
            return Array(
                numbers(by: author).lazy.filter { questions[Int($0) - 1].state != .deleted }.map(Int64.init)
                    .filter { $0 > number }.prefix(limit))
        }
    }

    private func numbers(after number: Int64, limit: Int, where isChosen: (Question) -> Bool) -> [Int64] {
        var chosen: [Int64] = []
        let first = Int(clamping: max(number, 0))
        guard first < questions.count else { return [] }
        for index in first..<questions.count where isChosen(questions[index]) {
            if chosen.count == limit { break }
            chosen.append(Int64(index + 1))
        }
        return chosen
    }

    /// Numbers of questions whose last change lies in a range, in the order of those changes.
    package func changed(
        for audience: Audience, after sequence: Int64, through last: Int64, limit: Int
    ) -> [Int64] {
        if case .author(let author) = audience {
            // So few that they are sorted here.
            let own = numbers(by: author).map { (number: Int64($0), question: questions[Int($0) - 1]) }
                .filter { Int64($0.question.lastSequence) > sequence && Int64($0.question.lastSequence) <= last }
            return own.sorted { $0.question.lastSequence < $1.question.lastSequence }.prefix(limit).map(\.number)
        }
        var chosen: [Int64] = []
        let first = Int(clamping: max(sequence, 0))
        let end = min(Int(clamping: last), changes.count)
        guard first < end else { return [] }
        for index in first..<end {
            let number = changes[index]
            guard number > 0 else { continue }
            let question = questions[Int(number) - 1]
            guard question.lastSequence == index + 1, audience == .moderators || question.wasPublished else { continue }
            if chosen.count == limit { break }
            chosen.append(Int64(number))
        }
        return chosen
    }
}

extension SessionOutline {
    /// A digest, which is as long as the key.
    fileprivate static func key(_ digest: [UInt8]) -> UInt128 {
        digest.withUnsafeBytes { bytes in
            guard bytes.count == MemoryLayout<UInt128>.size else { return digest.reduce(0) { $0 << 8 | UInt128($1) } }
            return UInt128(bigEndian: bytes.loadUnaligned(as: UInt128.self))
        }
    }

    /// The random end of an identifier.
    fileprivate static func key(_ id: String) -> UInt128 {
        id.utf8.suffix(16).reduce(0) { $0 << 8 | UInt128($1) }
    }
}
