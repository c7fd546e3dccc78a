internal import ChatCore
internal import Foundation
internal import GRDB

// What is asked for is found in the outline, and read by number.
extension SessionContent {
    func questions(_ selection: QuestionSelection, after number: Int64, bound: BatchBound) throws -> QuestionBatch {
        try batch(outline.numbers(selection, after: number, limit: bound.questions + 1), bound: bound)
    }

    func changedQuestions(
        for audience: Audience, after sequence: Int64, through last: Int64, bound: BatchBound
    ) throws -> QuestionBatch {
        try batch(
            outline.changed(for: audience, after: sequence, through: last, limit: bound.questions + 1), bound: bound)
    }

    /// - Throws: ``ChatError/questionNotFound``.
    func question(_ id: String) throws -> QuestionRecord {
        guard let number = outline.number(of: id) else { throw ChatError.questionNotFound }
        let record = try record(number)
        guard record.id == id, record.state != .deleted else { throw ChatError.questionNotFound }
        return record
    }

    /// A question with its texts and its answers.
    func record(_ number: Int64) throws -> QuestionRecord {
        let statement = try selectQuestion.get()
        guard let row = try Row.fetchOne(statement, arguments: [number]) else { throw ChatError.damaged }
        return try record(number, row)
    }

    /// - Parameter row: `id, author, ask_time, author_name, text`.
    private func record(_ number: Int64, _ row: Row) throws -> QuestionRecord {
        guard let question = outline.question(number) else { throw ChatError.damaged }
        return QuestionRecord(
            id: row[0], number: number, state: question.state, wasPublished: question.wasPublished,
            sealedText: row.bytes(4), sealedAuthorName: row.bytes(3), author: row.bytes(1),
            askTime: Date(milliseconds: row[2]), version: Int64(question.version),
            lastSequence: Int64(question.lastSequence),
            answers: question.state == .deleted ? [] : try outline.answers(to: number).map(answer),
            keyVersion: outline.session.keyVersion)
    }

    private func answer(_ number: Int64) throws -> AnswerRecord {
        let statement = try db.cachedStatement(
            sql: "SELECT id, answer_time, host_name, text FROM answer WHERE number = ?")
        guard let row = try Row.fetchOne(statement, arguments: [number]) else { throw ChatError.damaged }
        return AnswerRecord(
            id: row[0], sealedText: row.bytes(3), sealedHostName: row.bytes(2),
            answerTime: Date(milliseconds: row[1]))
    }

    /// - Parameter numbers: One more than the bound allows, if there are more.
    private func batch(_ numbers: [Int64], bound: BatchBound) throws -> QuestionBatch {
        var batch = QuestionBatch()
        var size = 0
        let next = try rows(of: numbers)
        for number in numbers {
            guard batch.questions.count < bound.questions, size < bound.bytes else {
                batch.isLast = false
                break
            }
            let question = try next(number)
            size += question.contentSize
            batch.questions.append(question)
        }
        return batch
    }

    /// Reads questions one after the other: those that lie in a row, as most do, with one statement.
    private func rows(of numbers: [Int64]) throws -> (Int64) throws -> QuestionRecord {
        guard let first = numbers.first, numbers.count > 1, numbers == Array(first..<first + Int64(numbers.count))
        else {
            return record
        }
        let statement = try db.cachedStatement(
            sql: """
                SELECT id, author, ask_time, author_name, text FROM question
                WHERE number BETWEEN ? AND ? ORDER BY number
                """)
        let rows = try Row.fetchCursor(statement, arguments: [first, first + Int64(numbers.count) - 1])
        return { number in
            guard let row = try rows.next() else { throw ChatError.damaged }
            return try self.record(number, row)
        }
    }
}

extension QuestionRecord {
    /// Bytes of its texts; what a message of it takes, roughly.
    fileprivate var contentSize: Int {
        answers.reduce(sealedText.count + sealedAuthorName.count) { $0 + $1.sealedText.count + $1.sealedHostName.count }
    }
}
