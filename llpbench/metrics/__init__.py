import numpy as np
def proportions_from_segmentation(seg, K):
    n=len(seg); codes=np.minimum(seg.reshape(n,-1),K).astype(np.int32)+np.arange(n,dtype=np.int32)[:,None]*(K+1)
    c=np.bincount(codes.ravel(),minlength=n*(K+1)).reshape(n,K+1)[:,:K].astype(float)
    t=c.sum(1,keepdims=True)
    return c/np.where(t>0,t,np.nan)
