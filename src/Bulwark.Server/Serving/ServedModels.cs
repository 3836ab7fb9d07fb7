using System.Collections.Frozen;
using Bulwark.Cryptography;

namespace Bulwark.Server;

/// <summary>The models behind one gateway by name, and what was counted of each.</summary>
internal sealed class ServedModels(IEnumerable<IServedModel> models) : IAsyncDisposable
{
    private readonly FrozenDictionary<string, Counted> _models = models.ToFrozenDictionary(model => model.Signature.Name, model => new Counted(model), StringComparer.Ordinal);

    internal IEnumerable<IServedModel> All => _models.Values.Select(one => one.Model);

    internal IServedModel? Find(string name) => _models.TryGetValue(name, out var found) ? found.Model : null;

    internal Digest? DigestOf(string name) => Find(name)?.Digest;

    internal void Count(IServedModel model, int rows, ServedAnswer answer, TimeSpan took) => _models[model.Signature.Name].Add(rows, answer, took);

    internal Counted CountsOf(IServedModel model) => _models[model.Signature.Name];

    public async ValueTask DisposeAsync()
    {
        foreach (var model in All)
            await model.DisposeAsync();
    }

    /// <summary>A model with its counts since the start.</summary>
    internal sealed class Counted(IServedModel model)
    {
        private long _scored, _rows, _refused, _last, _nanoseconds, _refusedNanoseconds;

        internal IServedModel Model => model;

        internal long Scored => Interlocked.Read(ref _scored);

        internal long Rows => Interlocked.Read(ref _rows);

        internal long Refused => Interlocked.Read(ref _refused);

        /// <summary>Time in the model, screen and signature included, of all scored requests.</summary>
        internal long Nanoseconds => Interlocked.Read(ref _nanoseconds);

        /// <summary>The same of requests that the model's screen refused.</summary>
        internal long RefusedNanoseconds => Interlocked.Read(ref _refusedNanoseconds);

        /// <summary>Milliseconds since 1970 of the last scored request; 0 before the first.</summary>
        internal long LastMilliseconds => Interlocked.Read(ref _last);

        internal void Add(int rows, ServedAnswer answer, TimeSpan took)
        {
            Interlocked.Add(ref answer.IsScored ? ref _nanoseconds : ref _refusedNanoseconds, (long)took.TotalNanoseconds);
            if (!answer.IsScored)
            {
                Interlocked.Increment(ref _refused);
                return;
            }

            Interlocked.Increment(ref _scored);
            Interlocked.Add(ref _rows, rows);
            Interlocked.Exchange(ref _last, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        }
    }
}
