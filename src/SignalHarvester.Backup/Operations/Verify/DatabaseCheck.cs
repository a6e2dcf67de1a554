using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite.Checks;

namespace SignalHarvester.Backup.Operations.Verify;

/// <summary>Checks a database for an operation, and shows its progress.</summary>
internal static class DatabaseCheck
{
    /// <summary>Checks a database.</summary>
    /// <param name="connection">The connection. It has no virtual tables afterwards.</param>
    /// <param name="context">The operation.</param>
    /// <param name="openAnother">Opens another connection to the same file, which nobody changes; null if there is only the one.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static IntegrityReport Run(SqliteConnection connection, OperationContext context, Func<CancellationToken, SqliteConnection>? openAnother = null)
    {
        ProgressMeter? meter = null;
        var totalBytes = -1L;
        try
        {
            return IntegrityCheck.Run(
                connection,
                new IntegrityOptions(context.Cancellation) { IsThorough = context.IsThorough, OpenAnother = openAnother, Report = Report });
        }
        finally
        {
            meter?.Dispose();
        }

        void Report(IntegrityProgress progress)
        {
            if (meter is null || totalBytes != progress.TotalBytes)
            {
                meter?.Dispose();
                totalBytes = progress.TotalBytes;
                meter = context.Meter("Checking integrity", totalBytes);
            }

            meter.Part = progress.Part;
            meter.MoveTo(progress.DoneBytes);
        }
    }
}
