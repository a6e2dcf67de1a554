using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Continuous.Holder;

namespace SignalHarvester.Backup.Soak;

/// <summary>
/// The verb of the process that holds the log, since nothing else there may open the database. It says what happens in lines: "base"
/// asks for a copy of the database file, "rest" answers to "look"; in both cases it stays where it is until it is told "on".
/// </summary>
internal static class Follow
{
    public const string Verb = "follow";

    // Between two looks, as the product's own, and before another attempt.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    /// <summary>Follows until it is told "end", or its standard input ends.</summary>
    public static int Run(string database, string image, string state)
    {
        var orders = new BlockingCollection<string>();
        var reader = new Thread(() =>
        {
            while (Console.ReadLine() is { } line)
            {
                orders.Add(line);
            }

            orders.Add("end");
        })
        { IsBackground = true };
        reader.Start();
        using var followed = new FollowedImage(image, Console.Out);
        while (true)
        {
            try
            {
                if (FollowOne(database, followed, state, orders))
                {
                    return 0;
                }
            }
            catch (Exception exception) when (exception is BackupException { ErrorId: BackupErrorId.ProtectionRefused or BackupErrorId.SourceLocked }
                or SqliteException { SqliteErrorCode: 5 or 6 or 14 })
            {
                Console.WriteLine("refused " + ((exception as BackupException)?.ErrorId ?? exception.Message));

                // The database is somebody else's for a moment, and nobody tells when it is over.
                Thread.Sleep(Pause);
            }

            if (orders.TryTake(out var order))
            {
                if (order == "end")
                {
                    return 0;
                }

                orders.Add(order);
            }
        }
    }

    /// <summary>Whether it was told to end.</summary>
    private static bool FollowOne(string database, FollowedImage followed, string statePath, BlockingCollection<string> orders)
    {
        using var holder = LogHolder.Open(database, followed, new HolderOptions { TruncateAfter = TimeSpan.FromSeconds(1) }, TimeProvider.System);
        followed.PageSize = holder.PageSize;
        var state = FollowState.Read(statePath);
        followed.IsComplete = state is not null;
        if (holder.Begin(state?.Place is { } place ? LogPlace.Of(place) : null, state?.Rest) is { } reason)
        {
            Console.WriteLine("new " + reason);
            followed.IsComplete = false;
        }
        else
        {
            Console.WriteLine("continued");
        }

        var isLookDue = false;
        try
        {
            while (true)
            {
                holder.Look();
                state = Note(holder, followed, statePath, state);
                while (orders.TryTake(out var order))
                {
                    if (order == "end")
                    {
                        holder.Close();
                        new FollowState(null, FileMark.Of(database)).Write(statePath);
                        return true;
                    }

                    isLookDue |= order == "look";
                }

                if (holder.State == HolderState.Rest && (isLookDue || !followed.IsComplete))
                {
                    Console.WriteLine(isLookDue && followed.IsComplete ? "rest" : "base");
                    while (orders.Take() is var order && order != "on")
                    {
                        isLookDue |= order == "look";
                    }

                    isLookDue = isLookDue && !followed.IsComplete;
                    followed.IsComplete = true;
                    state = Note(holder, followed, statePath, null);
                }

                // The pace of the product's own looks: a holder tells nobody what it sees.
                Thread.Sleep(Pause);
            }
        }
        catch (DatabaseReplacedException exception)
        {
            Console.WriteLine("replaced " + exception.Message);
            File.Delete(statePath);
            holder.CloseReplaced();
            return false;
        }
    }

    private static FollowState? Note(LogHolder holder, FollowedImage followed, string path, FollowState? noted)
    {
        if (!followed.IsComplete)
        {
            File.Delete(path);
            return null;
        }

        var now = new FollowState(holder.Position.Position, holder.RestMark);
        if (now != noted)
        {
            now.Write(path);
        }

        return now;
    }
}
