namespace Bulwark.Networks;
