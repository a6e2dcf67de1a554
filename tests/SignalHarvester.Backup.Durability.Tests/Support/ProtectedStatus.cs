using System.Globalization;
using System.Text.Json.Nodes;

namespace SignalHarvester.Backup.Durability.Tests.Support;

/// <summary>What a protection shows in its file, as it is: nothing is added for one that has ended.</summary>
internal sealed record ProtectedStatus(
    string State, long Transaction, long StoredTransaction, long Segment, long Gaps, TimeSpan Lag, DateTimeOffset? LastLook, string? Problem, string? ErrorId)
{
    public static ProtectedStatus Of(byte[] json)
    {
        var status = JsonNode.Parse(json)!;
        return new ProtectedStatus(
            (string)status["state"]!,
            (long)status["transaction"]!,
            (long)status["stored_transaction"]!,
            (long)status["segment"]!,
            (long)status["gaps"]!,
            TimeSpan.Parse((string)status["lag"]!, CultureInfo.InvariantCulture),
            (DateTimeOffset?)status["last_look"],
            (string?)status["problem"],
            (string?)status["error_id"]);
    }
}
