using System.Collections.Concurrent;
using System.Text;
using Bulwark.Cryptography;
using Net.Pkcs11Interop.Common;
using Net.Pkcs11Interop.HighLevelAPI;

namespace Bulwark.Keys;

/// <summary>One token behind a PKCS#11 module: found by its address's attributes, logged in to, its sessions reused.</summary>
/// <remarks>Thread-safe: a session serves one call at a time. A module is loaded once for the process and never finalised, because other users of it may still be at work.</remarks>
internal sealed class Pkcs11Token : IDisposable
{
    private static readonly ConcurrentDictionary<string, IPkcs11Library> s_modules = new(StringComparer.Ordinal);
    private static readonly Lock s_loading = new();
    private readonly KeyUri _address;
    private readonly SecretBytes _pin;
    private readonly IPkcs11Library _module;
    private readonly Lock _gate = new();
    private readonly Stack<ISession> _idle = new();
    private ISlot? _slot;
    private bool _disposed;

    private Pkcs11Token(KeyUri address, IPkcs11Library module, SecretBytes pin) => (_address, _module, _pin, Name) = (address, module, pin, NameOf(address));

    /// <summary>What people call it.</summary>
    internal string Name { get; }

    internal static Pkcs11Token Open(KeyUri address, KeyStoreOptions options)
    {
        var module = Module(Pkcs11Module.Path(address, options));
        var pin = Pkcs11Pin.Find(address, NameOf(address), options);
        var token = new Pkcs11Token(address, module, pin);
        try
        {
            token.Use(_ => 0);   // a missing token or a wrong PIN is said now, not at the first key
            return token;
        }
        catch
        {
            token.Dispose();
            throw;
        }
    }

    /// <summary>Runs one call in a session that is logged in; a token that went away is looked for once more.</summary>
    /// <exception cref="KeyProviderException">The token does not answer, or refuses the PIN.</exception>
    internal T Use<T>(Func<ISession, T> call)
    {
        for (var attempt = 0; ; attempt++)
        {
            var session = Rent();
            try
            {
                var result = call(session);
                Return(session);
                return result;
            }
            catch (Pkcs11Exception failure) when (Pkcs11Faults.IsGone(failure))
            {
                Forget(session);
                if (attempt > 0)
                    throw Pkcs11Faults.Gone(Name, failure);
            }
            catch
            {
                Forget(session);   // an operation may still be active in it
                throw;
            }
        }
    }

    /// <summary>True when the token still answers: tells a wrong ciphertext from a broken token where the module's return value does not.</summary>
    internal bool Answers()
    {
        try
        {
            return Use(session => session.GetSessionInfo().State is CKS.CKS_RW_USER_FUNCTIONS or CKS.CKS_RO_USER_FUNCTIONS) && FindSlot() is not null;
        }
        catch (Exception failure) when (failure is KeyProviderException or Pkcs11Exception)
        {
            return false;
        }
    }

    internal IReadOnlyList<CKM> Mechanisms() => (_slot ?? throw new InvalidOperationException("The token is not open.")).GetMechanismList();

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            while (_idle.TryPop(out var session))
                Close(session);
            _pin.Dispose();
        }
    }

    private ISession Rent()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_idle.TryPop(out var idle))
                return idle;
            try
            {
                _slot ??= FindSlot() ?? throw new KeyProviderException($"No token answers to {_address.Key}.", "is it plugged in, and is the module the right one? pkcs11-tool --list-slots shows what there is", null);
                var session = _slot.OpenSession(SessionType.ReadWrite);
                Login(session);
                return session;
            }
            catch (Pkcs11Exception failure)
            {
                _slot = null;
                throw Pkcs11Faults.Gone(Name, failure);
            }
        }
    }

    private void Login(ISession session)
    {
        var pin = _pin.Span.ToArray();
        try
        {
            session.Login(CKU.CKU_USER, pin);
        }
        catch (Pkcs11Exception already) when (already.RV == CKR.CKR_USER_ALREADY_LOGGED_IN)
        {
        }
        catch (Pkcs11Exception failure)
        {
            Close(session);
            _slot = null;
            throw Pkcs11Faults.Login(Name, failure);
        }
        finally
        {
            System.Security.Cryptography.CryptographicOperations.ZeroMemory(pin);
        }
    }

    private void Return(ISession session)
    {
        lock (_gate)
        {
            if (_disposed || _idle.Count >= 8)
                Close(session);
            else
                _idle.Push(session);
        }
    }

    private void Forget(ISession session)
    {
        lock (_gate)
        {
            Close(session);
            while (_idle.TryPop(out var idle))
                Close(idle);
            _slot = null;
        }
    }

    private static void Close(ISession session)
    {
        try
        {
            session.Dispose();
        }
        catch (Pkcs11Exception)
        {
            // it is gone already
        }
    }

    private ISlot? FindSlot()
    {
        var found = _module.GetSlotList(SlotsType.WithTokenPresent).Where(IsOurs).ToList();
        return found.Count > 1
            ? throw new KeyProviderException($"{found.Count} tokens answer to {_address.Key}.", "name one of them: pkcs11:token=LABEL;serial=NUMBER;object=KEY", null)
            : found.FirstOrDefault();
    }

    private bool IsOurs(ISlot slot)
    {
        ITokenInfo token;
        try
        {
            token = slot.GetTokenInfo();
        }
        catch (Pkcs11Exception)
        {
            return false;   // pulled out a moment ago
        }

        return token.TokenFlags.TokenInitialized && _address.Pkcs11Attributes.All(attribute => attribute.Key switch
        {
            "token" => token.Label == Text(attribute.Value),
            "serial" => token.SerialNumber == Text(attribute.Value),
            "manufacturer" => token.ManufacturerId == Text(attribute.Value),
            "model" => token.Model == Text(attribute.Value),
            "slot-id" => slot.SlotId.ToString(System.Globalization.CultureInfo.InvariantCulture) == Text(attribute.Value),
            _ => true,
        });
    }

    private static string NameOf(KeyUri address) => address.Pkcs11Attributes.TryGetValue("token", out var label) ? Text(label) : address.Path;

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    internal static IPkcs11Library Module(string path)
    {
        lock (s_loading)
        {
            if (s_modules.TryGetValue(path, out var loaded))
                return loaded;
            Pkcs11Module.Prepare();
            try
            {
                var factories = new Pkcs11InteropFactories();
                return s_modules[path] = factories.Pkcs11LibraryFactory.LoadPkcs11Library(factories, path, AppType.MultiThreaded);
            }
            catch (Exception failure) when (failure is LibraryArchitectureException or UnmanagedException or Pkcs11Exception or DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
            {
                throw new KeyProviderException($"{path} cannot be loaded as a PKCS#11 module: {failure.Message}", "install the token's module, and name it by ?module-path= or BULWARK_PKCS11_MODULE", failure);
            }
        }
    }
}
