using System.Text.Json;

namespace SignalHarvester.Backup.TestSupport.Applications;

/// <summary>What an <see cref="Application"/> says to a command.</summary>
/// <param name="Elapsed">How long SQLite took.</param>
/// <param name="Error">SQLite's error; null if it did what was asked.</param>
/// <param name="ErrorCode">SQLite's extended code of the error; 0 if there is none.</param>
/// <param name="Result">What the command returned.</param>
public sealed record ApplicationAnswer(TimeSpan Elapsed, string? Error, int ErrorCode, JsonElement Result)
{
    /// <summary>The result of a command that must not have failed.</summary>
    public JsonElement Value => Error is null ? Result : throw new InvalidOperationException($"SQLite says: {Error} ({ErrorCode})");

    internal static ApplicationAnswer FromJson(JsonElement answer) => new(
        TimeSpan.FromSeconds(answer.GetProperty("seconds").GetDouble()),
        answer.TryGetProperty("error", out var error) ? error.GetString() : null,
        answer.TryGetProperty("code", out var code) ? code.GetInt32() : 0,
        answer.TryGetProperty("value", out var value) ? value : default);
}
